"""The tool create_bot_template in Node.js: what it saves, what follows a change, and a change of language."""

from __future__ import annotations

import json

import pytest
import yaml

from shared.keys import ArtifactKey
from tests.shared.tools.test_create_bot_template import SESSION, Bench, versions

NODE_FILES = {
    "README.md",
    "bot-config.yaml",
    "bot-schema.json",
    "data.js",
    "main.js",
    "money.js",
    "orders.js",
    "package.json",
    "parameters.js",
    "risk.js",
    "sample.csv",
    "strategy.js",
    "tests/strategy.test.js",
    "trader.js",
    "trading.js",
}
PYTHON_ONLY = {"main.py", "strategy.py", "parameters.py", "requirements.txt", "tests/conftest.py"}


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def names(bench: Bench) -> set[str]:
    return {one.filename for one in await bench.files.list(session=SESSION)}


async def test_saves_the_whole_bot(bench: Bench) -> None:
    created = await bench.create("rsi_momentum", {"buy_below": 25}, language="nodejs")
    assert (created.language, created.version) == ("nodejs", "1.0.0")
    assert {file.filename for file in created.files} == NODE_FILES == await names(bench)
    config = yaml.safe_load(await bench.text("bot-config.yaml"))
    assert (config["runtime"], config["entrypoints"]["bot"]) == ("nodejs20", "main.js")
    package = json.loads(await bench.text("package.json"))
    assert (package["type"], package["name"], package["version"]) == (
        "module",
        "rsi-momentum-btc-usdt",
        "1.0.0",
    )
    assert set(package["dependencies"]) == {"@alexanderwanyoike/the0-node", "ccxt", "decimal.js"}
    assert created.notes[0].startswith("the schedule")


async def test_a_change_writes_only_what_differs_and_keeps_the_language(bench: Bench) -> None:
    await bench.create("rsi_momentum", {"buy_below": 30}, language="nodejs")
    changed = await bench.create("rsi_momentum", {"buy_below": 25})
    updated = {file.filename for file in changed.files if file.outcome == "updated"}
    assert updated == {"README.md", "bot-config.yaml", "bot-schema.json", "package.json", "parameters.js"}
    assert (changed.language, changed.version) == ("nodejs", "1.0.1")
    assert versions(changed)["parameters.js"] == 2
    assert versions(changed)["main.js"] == 1
    again = await bench.create("rsi_momentum", {"buy_below": 25})
    assert {file.outcome for file in again.files} == {"unchanged"}


async def test_another_language_replaces_the_bot_and_its_files(bench: Bench) -> None:
    await bench.create("dca", name="mine")
    await bench.files.save(key=ArtifactKey(session=SESSION, filename="notes.md"), data=b"mine")
    switched = await bench.create("dca", language="nodejs")
    assert (switched.name, switched.version) == ("mine", "2.0.0")
    assert await names(bench) == NODE_FILES | {"notes.md"}
    (note,) = [note for note in switched.notes if "taken off the list" in note]
    assert all(name in note for name in PYTHON_ONLY)
    back = await bench.create("dca", language="python")
    assert back.version == "3.0.0"
    assert await names(bench) > PYTHON_ONLY
    assert not {"main.js", "package.json"} & await names(bench)


async def test_another_form_takes_its_modules_with_it(bench: Bench) -> None:
    await bench.create("market_making", language="nodejs")
    assert await names(bench) > {"quotes.js", "tests/quotes.test.js"}
    await bench.create("pairs_arbitrage")
    assert not {"quotes.js", "tests/quotes.test.js"} & await names(bench)
    assert await names(bench) > {"portfolio.js", "tests/portfolio.test.js"}
    await bench.create("grid")
    assert await names(bench) == NODE_FILES


async def test_files_of_a_bot_that_is_not_ours_stay(bench: Bench) -> None:
    for filename, data in {"main.py": b"1", "bot-config.yaml": b"name: x\nversion: 1.0.0\n"}.items():
        await bench.files.save(key=ArtifactKey(session=SESSION, filename=filename), data=data)
    created = await bench.create("grid", language="nodejs")
    assert created.version == "1.0.0"
    assert "main.py" in await names(bench)
