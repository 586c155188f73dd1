"""Long files first: workers take whole files, and a long one that comes last leaves the other cores idle.

For `pytest -n --dist loadfile --no-loadscope-reorder`; xdist's own order is by the number of tests.
"""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# From the longest on, all of over ten seconds of a core; a file that becomes one belongs here.
LONG_FILES = (
    "tests/faults/test_corpus_of_templates.py",
    "tests/faults/test_corpus_of_bots.py",
    "tests/shared/tools/test_create_bot_template_property.py",
    "tests/end_to_end/test_build_a_bot.py",
    "tests/shared/tools/test_node_bots.py",
    "tests/functions/test_socket.py",
    "tests/functions/test_nats_bridge.py",
    "tests/functions/test_chat_gemini.py",
    "tests/contracts/test_session_store_repeats.py",
    "tests/functions/test_targets.py",
    "tests/contracts/test_encryption.py",
    "tests/shared/agent/test_engine_lines.py",
    "tests/shared/analysis/test_javascript.py",
    "tests/contracts/test_session_store_commits_sql.py",
    "tests/end_to_end/test_turn_handed_over.py",
    "tests/infra/test_bundle.py",
    "tests/contracts/test_session_store_crowds.py",
    "tests/end_to_end/test_remote_tools.py",
    "tests/end_to_end/test_deploy_a_bot.py",
    "tests/end_to_end/test_one_trace.py",
    "tests/shared/sessions/firestore/test_contention.py",
    "tests/contracts/test_erasure.py",
    "tests/functions/test_mcp_inspector.py",
    "tests/functions/test_artifacts_zip.py",
    "tests/shared/tools/test_fuzz_arguments.py",
    "tests/functions/test_socket_turns.py",
    "tests/contracts/test_session_store_cache.py",
    "tests/functions/test_other_users.py",
    "tests/shared/agent/whole/test_long_session.py",
    "tests/shared/analysis/test_fixes.py",
    "tests/contracts/test_object_store.py",
    "tests/end_to_end/test_events_out.py",
    "tests/functions/test_diagnosis.py",
    "tests/contracts/test_session_store_turns.py",
    "tests/functions/test_stopping.py",
    "tests/shared/agent/test_engine_instances.py",
    "tests/end_to_end/test_backup_embedded.py",
    "tests/functions/test_mcp_wire.py",
    "tests/end_to_end/test_start_a_bot.py",
    "tests/shared/verification/test_bad_strategies.py",
    "tests/shared/verification/test_bad_bots.py",
    "tests/shared/tools/test_analyze_market.py",
    "tests/contracts/test_session_store_reseal.py",
    "tests/functions/test_mcp.py",
    "tests/functions/test_account.py",
    "tests/functions/test_dead_letters.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Moves them to the front; the order within each file stays."""
    places = {ROOT / name: place for place, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
