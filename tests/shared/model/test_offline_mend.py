"""Repairs of a rejected bot: what is put right, what is left alone, and where it ends."""

from __future__ import annotations

from typing import Any

import pytest

from shared.deployment.validate import read_bot
from shared.errors import BotInvalidError
from shared.messages import ToolCall
from shared.model.offline.mend_files import files_of, loaded, mend, read_problems
from tests.shared.model.conversations import Talk, reading
from tests.shared.verification.bots import CONFIG, free_bot

FILES = {name: data.decode() for name, data in free_bot().items() if not name.endswith(".csv")}


def problems_of(files: dict[str, str]) -> list[str]:
    """The messages of a verification about these files."""
    try:
        read_bot({name: text.encode() for name, text in files.items()})
    except BotInvalidError as error:
        return [
            f"{one['file']}: {one['field'] + ': ' if one['field'] else ''}{one['message']}"
            for one in error.details["problems"]
        ]
    return []


def mended(files: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    problems = read_problems(problems_of(files))
    texts = {name: files[name] for name in files_of(problems, set(files))}
    done = mend(problems, texts, set(files))
    return {**files, **done.texts}, done.changes


@pytest.mark.parametrize(
    ("old", "new", "field", "value"),
    [
        ("name: planted-bot", "name: Planted Bot!", "name", "planted-bot"),
        ("version: 1.0.0", "version: 1.2", "version", "1.2.0"),
        ("version: 1.0.0", "version: v2", "version", "2.0.0"),
        ("type: scheduled", "type: Realtime", "type", "realtime"),
        ("runtime: python3.11\n", "", "runtime", "python3.11"),
        ("readme: README.md\n", "", "readme", "README.md"),
        ("  bot: main.py", "  bot: start.py", "entrypoints", {"bot": "main.py"}),
        ("entrypoints:\n  bot: main.py\n", "", "entrypoints", {"bot": "main.py"}),
        ("schema:\n  bot: bot-schema.json\n", "", "schema", {"bot": "bot-schema.json"}),
    ],
)
def test_a_field_is_put_right_and_the_rest_of_the_file_stays(
    old: str, new: str, field: str, value: Any
) -> None:
    config = f"# by hand\n{CONFIG.replace(old, new)}"
    assert problems_of({**FILES, "bot-config.yaml": config})

    after, changes = mended({**FILES, "bot-config.yaml": config})

    assert problems_of(after) == []
    assert (loaded(after["bot-config.yaml"]) or {})[field] == value
    assert after["bot-config.yaml"].startswith("# by hand\n")
    assert len(changes) == 1
    assert {name for name in FILES if after[name] != FILES[name]} == {"bot-config.yaml"}


@pytest.mark.parametrize("gone", ["bot-config.yaml", "README.md", "bot-schema.json"])
def test_a_file_that_is_missing_is_written(gone: str) -> None:
    after, changes = mended({name: text for name, text in FILES.items() if name != gone})

    assert problems_of(after) == []
    assert gone in changes[0]


def test_a_short_readme_keeps_its_words() -> None:
    after, _ = mended({**FILES, "README.md": "My own words."})

    assert problems_of(after) == []
    assert after["README.md"].startswith("My own words.\n\n# planted-bot")


@pytest.mark.parametrize(
    "config", [CONFIG.replace("type: scheduled", "type: hourly"), "a: [", "- a\n", CONFIG + "schema: 7\n"]
)
def test_what_only_the_user_knows_is_left_alone(config: str) -> None:
    files = {**FILES, "bot-config.yaml": config, "README.md": "x" * 20_000}

    after, changes = mended(files)

    assert problems_of(files)
    assert (after, changes) == (files, [])


def rejection(*findings: dict[str, str]) -> dict[str, Any]:
    found = [{"stage": "run", "severity": "failure", "advice": "", **one} for one in findings]
    return {"verdict": "rejected", "stages": [], "findings": found, "figures": {}}


def session() -> Talk:
    """A session with a bot that the template wrote at version 1 and that has changed since."""
    talk = Talk()
    talk.say("Build me an RSI momentum bot for BTC/USDT")
    talk.answers["list_artifacts"] = lambda call: {
        "files": [
            {"filename": name, "version": 2, "type": "code", "size": 9}
            for name in ("bot-config.yaml", "strategy.py", "bot-schema.json", "verification.json")
        ]
    }
    return talk


def test_a_crash_is_patched_where_a_rule_is_sure_and_verified_again() -> None:
    verdicts = [rejection({"rule": "crashes", "message": "KeyError: 'period'"}), {"verdict": "verified"}]
    trace = (
        "Traceback (most recent call last):\\n"
        '  File \\"/job/strategy.py\\", line 2, in decide\\n'
        '    period = config[\\"period\\"]\\n'
        "KeyError: 'period'"
    )
    talk = session()
    schema = '{"properties": {"period": {"type": "integer", "default": 14}}}'
    strategy = 'def decide(config):\n    period = config["period"]\n    return period\n'
    talk.answers["read_artifact"] = reading(
        {
            "verification.json": f'{{"evidence": {{"errors": "{trace}"}}}}',
            "strategy.py": strategy,
            "bot-schema.json": schema,
        }
    )
    edits: list[ToolCall] = []

    def edited(call: ToolCall) -> dict[str, Any]:
        edits.append(call)
        return {"filename": "strategy.py", "version": 3, "outcome": "updated", "diff": ""}

    talk.answers["edit_artifact"] = edited
    talk.answers["verify_bot"] = lambda call: verdicts.pop(0)

    answer = talk.say("verify it")

    assert verdicts == []
    assert "14" in str(edits[0].arguments["edits"])
    assert edits[0].arguments["version"] == 2
    assert "**Verified**" in answer
    assert "`strategy.py` has version 3; the one before is kept" in answer


def test_repairs_end_after_three_and_what_remains_is_told() -> None:
    talk = session()
    talk.answers["read_artifact"] = reading({"bot-config.yaml": CONFIG.replace("1.0.0", "1.0")})
    talk.answers["save_artifact"] = lambda call: {"filename": call.arguments["filename"], "version": 3}
    wrong = "bot-config.yaml: version: takes three numbers without leading zeros, as in 1.0.0"
    talk.answers["verify_bot"] = lambda call: rejection({"rule": "invalid-configuration", "message": wrong})

    answer = talk.say("verify it")

    assert talk.names.count("verify_bot") == 4
    assert talk.names.count("save_artifact") == 3
    assert "**Rejected**" in answer
    assert wrong in answer


def test_what_no_rule_repairs_is_offered_back_and_not_touched() -> None:
    talk = session()
    talk.answers["verify_bot"] = lambda call: rejection({"rule": "look-ahead", "message": "It looks ahead."})

    answer = talk.say("verify it")

    assert talk.names == ["verify_bot", "list_artifacts"]
    assert '`strategy.py`: I wrote version 1, it is at version 2 now. Say "restore strategy.py"' in answer


def test_a_version_is_put_back_and_verified() -> None:
    talk = session()
    talk.answers["read_artifact"] = lambda call: {
        "filename": "strategy.py",
        "version": call.arguments["version"],
        "content": "one",
        "next_start": None,
    }
    talk.answers["save_artifact"] = lambda call: {
        "filename": "strategy.py",
        "version": 3,
        "outcome": "updated",
    }

    answer = talk.say("please restore `strategy.py`")

    assert talk.arguments("read_artifact")["version"] == 1
    assert talk.arguments("save_artifact")["content"] == "one"
    assert "as version 3" in answer
    assert "**Verified**" in answer
    talk.say("restore version 7 of strategy.py")
    assert talk.arguments("read_artifact")["version"] == 7
    assert "restore version 1 of notes.md" in talk.say("restore notes.md")
