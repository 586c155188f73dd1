"""The tool catalogue, read at a glance: a new tool is one file and one line here."""

from __future__ import annotations

from shared.tools.port import Tool


def _load() -> tuple[Tool, ...]:
    from shared.tools.analyze_code import analyze_code
    from shared.tools.analyze_market import analyze_market
    from shared.tools.backtest_bot import backtest_bot
    from shared.tools.bot_history import bot_history
    from shared.tools.browse_web import browse_web
    from shared.tools.create_bot_template import create_bot_template
    from shared.tools.deploy_bot import deploy_bot
    from shared.tools.edit_artifact import edit_artifact
    from shared.tools.get_documentation import get_documentation
    from shared.tools.list_artifacts import list_artifacts
    from shared.tools.list_documentation import list_documentation
    from shared.tools.read_artifact import read_artifact
    from shared.tools.save_artifact import save_artifact
    from shared.tools.search_documentation import search_documentation
    from shared.tools.search_web import search_web
    from shared.tools.suggest_bot import suggest_bot
    from shared.tools.verify_bot import verify_bot

    return (
        search_documentation,
        list_documentation,
        get_documentation,
        browse_web,
        search_web,
        create_bot_template,
        analyze_code,
        analyze_market,
        backtest_bot,
        save_artifact,
        edit_artifact,
        read_artifact,
        list_artifacts,
        verify_bot,
        deploy_bot,
        suggest_bot,
        bot_history,
    )


TOOLS: tuple[Tool, ...] = _load()
