"""What the page on the Python SDK says, held against the package itself."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

# The SDK ships no type information.
import the0  # type: ignore[import-untyped]


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the platform mounts it; its result file is inside."""
    monkeypatch.setenv("CODE_MOUNT_DIR", str(tmp_path))
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "result.json"


def test_parse_refuses_what_is_missing_or_not_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOT_ID", raising=False)
    with pytest.raises(ValueError, match="BOT_ID"):
        the0.parse()
    monkeypatch.setenv("BOT_ID", "b")
    monkeypatch.setenv("BOT_CONFIG", "{")
    with pytest.raises(ValueError, match="JSON"):
        the0.parse()


def test_the_last_result_counts_and_error_ends_the_program(mounted: Path) -> None:
    the0.success("first", {"n": 1})
    assert json.loads(mounted.read_text()) == {"status": "success", "message": "first", "data": {"n": 1}}
    with pytest.raises(SystemExit) as ended:
        the0.error("second")
    assert ended.value.code == 1
    assert json.loads(mounted.read_text()) == {"status": "error", "message": "second"}


def test_a_result_that_is_not_json_raises_nothing(mounted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    the0.success("money", {"price": Decimal(1)})
    assert "RESULT_ERROR" in capsys.readouterr().err


def test_a_metric_has_its_own_timestamp_and_refuses_decimals(capsys: pytest.CaptureFixture[str]) -> None:
    the0.metric("price", {"value": 1, "timestamp": "mine"})
    line = json.loads(capsys.readouterr().out)
    assert (line["_metric"], line["value"]) == ("price", 1)
    assert line["timestamp"].endswith("Z")
    with pytest.raises(TypeError):
        the0.metric("price", {"value": Decimal(1)})


def test_log_lines_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    the0.log("Order failed", {"reason": "funds"}, "error")
    assert json.loads(capsys.readouterr().err)["level"] == "error"


@pytest.mark.parametrize("key", ["", "a/b", "a\\b", ".."])
def test_state_refuses_keys_that_are_no_file_names(mounted: Path, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        the0.state.set(key, 1)


def test_state_gives_defaults_and_is_read_only_in_a_query(
    mounted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert the0.state.get("k", 7) == 7
    the0.state.set("k", 8)
    assert (the0.state.get("k"), the0.state.list(), the0.state.exists("k")) == (8, ["k"], True)
    monkeypatch.setenv("QUERY_PATH", "/status")
    with pytest.raises(the0.query.ReadOnlyStateError):
        the0.state.delete("k")
    monkeypatch.delenv("QUERY_PATH")
    assert the0.state.delete("k") is True
    assert the0.state.delete("k") is False
