"""Long files first: workers take whole files, and a long one that comes last leaves the other cores idle.

For `pytest -n --dist loadfile --no-loadscope-reorder`; xdist's own order is by the number of tests.
"""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# From the longest on, all of over ten seconds of a core; a file that becomes one belongs here.
LONG_FILES = (
    "tests/shared/tools/test_create_bot_template_property.py",
    "tests/end_to_end/test_build_a_bot.py",
    "tests/shared/tools/test_node_bots.py",
    "tests/functions/test_socket.py",
    "tests/infra/test_bundle.py",
    "tests/contracts/test_encryption.py",
    "tests/shared/analysis/test_fixes.py",
    "tests/functions/test_chat_gemini.py",
    "tests/contracts/test_session_store_commits_sql.py",
    "tests/contracts/test_session_store_repeats.py",
    "tests/shared/tools/test_create_bot_template_exchange.py",
    "tests/shared/tools/test_fuzz_arguments.py",
    "tests/contracts/test_erasure.py",
    "tests/functions/test_artifacts_zip.py",
    "tests/functions/test_nats_bridge.py",
    "tests/shared/tools/test_analyze_market.py",
    "tests/end_to_end/test_deploy_a_bot.py",
    "tests/functions/test_other_users.py",
    "tests/contracts/test_session_store_turns.py",
    "tests/infra/checks/test_promises.py",
    "tests/end_to_end/test_offline_repair.py",
    "tests/functions/test_workers.py",
    "tests/functions/test_mcp.py",
    "tests/contracts/test_session_store_cache.py",
    "tests/functions/test_targets.py",
    "tests/functions/test_mcp_wire.py",
    "tests/end_to_end/test_events_out.py",
    "tests/functions/test_diagnosis.py",
    "tests/functions/test_dead_letters.py",
    "tests/functions/test_account.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Moves them to the front; the order within each file stays."""
    places = {ROOT / name: place for place, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
