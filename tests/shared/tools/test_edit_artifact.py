"""The tool `edit_artifact` over a real store: all or nothing, exact places, conflicts, line endings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ToolInputError
from shared.tools.edit_artifact import edit_artifact
from shared.tools.replacing import Replacement, replace_all
from tests.shared.tools.tool_bench import ToolBench, tool_bench

CODE = "import os\n\n\ndef run(config):\n    size = 1\n    if config:\n        size = 2\n    return size\n"


@pytest.fixture
async def bench(tmp_path: Path, sqlite_url: str) -> AsyncIterator[ToolBench]:
    async with tool_bench(tmp_path, sqlite_url, (edit_artifact,)) as opened:
        await opened.save("main.py", CODE)
        yield opened


async def edit(bench: ToolBench, *edits: dict[str, Any], **arguments: Any) -> Any:
    result = await bench.run("edit_artifact", **{"filename": "main.py", "edits": list(edits), **arguments})
    assert result.status == "ok", result.error
    jsonschema.validate(result.result, edit_artifact.spec.output_schema)
    return result


async def message(bench: ToolBench, *edits: dict[str, Any], **arguments: Any) -> str:
    fault = await bench.fault("edit_artifact", **{"filename": "main.py", "edits": list(edits), **arguments})
    assert fault.code == "invalid_arguments"
    return fault.message


async def test_an_edit_makes_the_next_version_and_shows_the_difference(bench: ToolBench) -> None:
    result = await edit(bench, {"search": "size = 1", "replace": "size = 10"}, version=1)
    assert result.result == {
        "filename": "main.py",
        "version": 2,
        "outcome": "updated",
        "diff": "--- before\n+++ after\n@@ -3,5 +3,5 @@\n \n def run(config):\n"
        "-    size = 1\n+    size = 10\n     if config:\n         size = 2",
    }
    assert result.artifacts == ("main.py",)
    assert result.untrusted
    assert await bench.content("main.py") == CODE.replace("size = 1", "size = 10").encode()


async def test_edits_apply_in_order_to_the_result_of_the_one_before(bench: ToolBench) -> None:
    await edit(
        bench,
        {"search": "size = 1\n", "replace": "amount = 1\n"},
        {"search": "amount = 1", "replace": "amount = 3"},
        {"search": "import os\n\n\n", "replace": ""},
    )
    assert (await bench.content("main.py")).startswith(b"def run(config):\n    amount = 3\n    if")


async def test_all_or_nothing(bench: ToolBench) -> None:
    said = await message(
        bench, {"search": "size = 1", "replace": "size = 9"}, {"search": "absent", "replace": "x"}
    )
    assert "edit 2 of 2" in said
    assert "nothing was edited" in said
    assert await bench.content("main.py") == CODE.encode()


async def test_several_places_are_told_and_near_line_chooses(bench: ToolBench) -> None:
    said = await message(bench, {"search": "size", "replace": "n"})
    assert "occurs 3 times, at lines 5, 7, 8" in said
    assert "near_line" in said
    await edit(bench, {"search": "size", "replace": "n", "near_line": 9})
    assert (await bench.content("main.py")).decode() == CODE.replace("return size", "return n")
    said = await message(bench, {"search": "size = ", "replace": "n", "near_line": 6})
    assert "near_line 6 does not tell which of the places at lines 5, 7" in said


async def test_no_place_shows_the_nearest_lines_and_white_space(bench: ToolBench) -> None:
    said = await message(bench, {"search": "\tsize = 1\n\tif config:", "replace": ""})
    assert "differs only in white space" in said
    assert "5:     size = 1\n6:     if config:" in said
    said = await message(bench, {"search": "def runs(konfig):", "replace": ""})
    assert "4: def run(config):" in said
    said = await message(bench, {"search": "SELECT nothing FROM nowhere", "replace": ""})
    assert "read_artifact" in said


async def test_an_older_version_and_a_race_are_conflicts(bench: ToolBench) -> None:
    await bench.save("main.py", CODE + "# more\n")
    stale = await bench.fault(
        "edit_artifact", filename="main.py", edits=[{"search": "os", "replace": "re"}], version=1
    )
    assert stale.code == "version_conflict"
    assert "version 2" in stale.message
    edits = [[{"search": "import os", "replace": f"import os{n}"}] for n in range(6)]
    results = await asyncio.gather(
        *(bench.run("edit_artifact", filename="main.py", edits=each, version=2) for each in edits)
    )
    won = [result for result in results if result.status == "ok"]
    lost = [result.error.code for result in results if result.error is not None]
    assert len(won) == 1
    assert lost == ["version_conflict"] * 5
    assert [a.version for a in await bench.artifacts.versions(key=bench.key("main.py"))] == [3, 2, 1]


async def test_what_changes_nothing_makes_no_version(bench: ToolBench) -> None:
    result = await edit(bench, {"search": "size = 1", "replace": "size = 1"})
    assert (result.result["outcome"], result.result["version"], result.result["diff"]) == ("unchanged", 1, "")
    assert result.artifacts == ()


async def test_line_endings_and_a_missing_last_newline_are_kept(bench: ToolBench) -> None:
    await bench.save("dos.py", "a = 1\r\nb = 2\r\nc = 3")
    await edit(bench, {"search": "a = 1\nb", "replace": "a = 1\nx = 0\nb"}, filename="dos.py")
    await edit(bench, {"search": "c = 3", "replace": "c = 4\r\nd = 5"}, filename="dos.py")
    assert await bench.content("dos.py") == b"a = 1\r\nx = 0\r\nb = 2\r\nc = 4\r\nd = 5"
    await bench.save("mixed.py", "a\nb\r\nc\n")
    await edit(bench, {"search": "b\nc", "replace": "b\nx\nc"}, filename="mixed.py")
    assert await bench.content("mixed.py") == b"a\nb\r\nx\r\nc\n"
    await edit(bench, {"search": "import os\r\n", "replace": "import os\r\nimport re\r\n"})
    assert b"\r" not in await bench.content("main.py")


async def test_what_cannot_be_edited_is_refused_in_words(bench: ToolBench) -> None:
    one = {"search": "a", "replace": "b"}
    assert "list_artifacts" in await message(bench, one, filename="absent.py")
    assert "relative path" in await message(bench, one, filename="../main.py")
    await bench.save("chart.png", b"\x89PNG\xff")
    assert "not text" in await message(bench, one, filename="chart.png")
    await bench.save("big.csv", "1,2,3\n" * 100_000)
    assert "save_artifact" in await message(bench, one, filename="big.csv")
    assert "edits" in await message(bench)
    assert "edits.0.search" in await message(bench, {"search": "", "replace": "b"})
    assert "edits.0.surprise" in await message(bench, {**one, "surprise": 1})
    assert "unicode" in await message(bench, {"search": "import os", "replace": "\ud800"})


async def test_a_long_difference_is_cut(bench: ToolBench) -> None:
    await bench.save("data.txt", "".join(f"line {n}\n" for n in range(3000)))
    lines = "".join(f"other {n}\n" for n in range(3000))
    result = await edit(bench, {"search": "line 7\n", "replace": lines}, filename="data.txt")
    assert len(result.result["diff"]) < 4200
    assert result.result["diff"].endswith("more lines")


def test_a_text_that_repeats_itself_is_searched_in_bounded_time() -> None:
    with pytest.raises(ToolInputError, match="20 or more times"):
        replace_all("a" * 500_000, [Replacement(search="a" * 20_000, replace="b")])


@given(
    before=st.text("ab\r\n", max_size=30),
    search=st.text("cd\n", min_size=1, max_size=6).filter(lambda text: text.strip()),
    after=st.text("ab\r\n", max_size=30),
    words=st.text("ef\n", max_size=8),
)
def test_the_rest_of_the_text_is_untouched(before: str, search: str, after: str, words: str) -> None:
    before, after = before.rstrip("\r\n"), after.lstrip("\r\n")
    search = search.strip("\n")
    text = before + search + after
    result = replace_all(text, [Replacement(search=search, replace=words)]).text
    assert result.startswith(before)
    assert result.endswith(after)
    assert result.replace("\r\n", "\n") == (before + words + after).replace("\r\n", "\n")
