"""`python -m functions.tools verify FOLDER`: exit status by verdict, the record as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from functions.tools.__main__ import main
from tests.shared.verification.bots import free_bot


def _folder(path: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return path


def test_a_good_bot_is_zero_and_its_record_is_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _folder(tmp_path / "bot", free_bot())
    evidence = tmp_path / "evidence"
    assert main(["verify", str(folder), "--json", "--evidence", str(evidence)]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["verdict"] == "verified"
    assert {stage["stage"] for stage in record["stages"]} == {
        "configuration", "run", "analysis", "tests", "probe", "backtest",
    }  # fmt: skip
    assert json.loads((evidence / "verification.json").read_text(encoding="utf-8")) == record


def test_a_rejected_bot_is_two_and_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _folder(tmp_path, free_bot(before='    raise KeyError("exchange")'))
    assert main(["verify", str(folder)]) == 2
    told = capsys.readouterr().out
    assert told.startswith("rejected")
    assert "[crashes]" in told


@pytest.mark.parametrize(
    "arguments", [["nowhere"], [], [".", "--config", "["], [".", "--config", "[]"], [".", "--what"]]
)
def test_what_cannot_be_tried_is_three(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["verify", *arguments]) == 3


def test_other_words_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verity"]) == 2
    assert "verify FOLDER" in capsys.readouterr().err
