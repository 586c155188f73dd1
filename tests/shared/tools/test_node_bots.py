"""Every strategy in Node.js: it runs from a shell and by the platform, its tests pass, its code is clean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft7Validator

from shared.analysis import analyse_files
from shared.deployment.package import one_source, zip_of
from shared.deployment.validate import read_bot
from shared.sandbox.node_packages import RUNNER
from shared.tools.templates.catalog import STRATEGIES, BotType, Strategy
from shared.tools.templates.parameters import BotParameters
from shared.tools.templates.render import Bot, render_bot
from tests.shared.tools.node_bots import configuration, link_packages, run_node, run_node_bot, write_bot
from tests.shared.tools.test_create_bot_template_property import parameter_sets

# The machine may be several times slower than alone.
pytestmark = pytest.mark.timeout(300)

SETS = 2
HERE = Path(__file__).parent
MANY, LAYOUT = HERE / "node_many.mjs", HERE / "prettier_check.mjs"
BOT_TYPES: tuple[BotType, ...] = ("scheduled", "realtime")


@pytest.fixture(scope="module")
def bots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One bot of each strategy and type, with its default parameters."""
    root = tmp_path_factory.mktemp("bots")
    link_packages(root)
    folders = {}
    for strategy in STRATEGIES.values():
        for bot_type in BOT_TYPES:
            folders[f"{strategy.name} {bot_type}"] = root / strategy.name / bot_type
            write_bot(root / strategy.name / bot_type, strategy, bot_type=bot_type)
    return folders


def some(bots: dict[str, Path]) -> list[Path]:
    """Every strategy once, and each form as a scheduled bot too: the types differ in one module."""
    twice = ("grid", "market_making", "pairs_arbitrage")
    return [folder for name, folder in bots.items() if name.endswith("realtime") or name.split()[0] in twice]


def files_of(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "result.json"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_replays_trade_and_the_tests_pass(bots: dict[str, Path]) -> None:
    done = run_node("--test-reporter=spec", str(MANY), *map(str, some(bots)), folder=Path("/"))
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    outcomes = [json.loads(line) for line in done.stderr.splitlines()]
    assert [outcome["folder"] for outcome in outcomes] == [str(folder) for folder in some(bots)]
    for outcome in outcomes:
        assert outcome["result"]["status"] == "success"
        assert outcome["result"]["data"]["trades"] >= 5
        assert json.loads((Path(outcome["folder"]) / "result.json").read_text()) == outcome["result"]


@pytest.mark.parametrize("by_platform", [False, True])
def test_a_bot_runs_from_a_shell_and_by_the_platform(bots: dict[str, Path], by_platform: bool) -> None:
    folder = bots["grid realtime"]
    run = run_node_bot(folder, {"data_source": "sample.csv"}, by_platform=by_platform)
    assert (run.exit_code, run.errors) == (0, "")
    assert run.result is not None
    assert run.result["message"].startswith("Replayed 400 candles")
    assert all(json.loads(line)["_metric"] for line in run.output.splitlines())


@pytest.mark.parametrize("by_platform", [False, True])
@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"data_source": "../secrets.csv"}, "data_source"),
        ({"data_source": "tests/../../x.csv"}, "must lie in the bot's folder"),
        ({"data_source": "missing.csv"}, "missing.csv cannot be read"),
        ({"live_trading": True}, "needs api_key and api_secret"),
        ({"moon": 1}, "unknown configuration fields: moon"),
        (["a"], "must be an object"),
    ],
)
def test_what_cannot_work_ends_with_a_clear_error(
    bots: dict[str, Path], config: Any, message: str, by_platform: bool
) -> None:
    run = run_node_bot(bots["dca scheduled"], config, by_platform=by_platform)
    assert run.exit_code == 1
    assert run.result is not None
    assert run.result["status"] == "error"
    assert message in run.result["message"]


@pytest.mark.parametrize("environment", [{"BOT_ID": ""}, {"BOT_CONFIG": "{not json"}])
def test_without_variables_the_error_says_which(bots: dict[str, Path], environment: dict[str, str]) -> None:
    run = run_node_bot(bots["dca scheduled"], {}, environment=environment)
    assert run.exit_code == 1
    assert run.result is not None
    assert next(iter(environment)) in run.result["message"]


def test_a_crash_is_an_error_without_its_text(bots: dict[str, Path], tmp_path: Path) -> None:
    link_packages(tmp_path)
    for name, data in files_of(bots["dca scheduled"]).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(
            data.replace(b"const summary", b"null.crash('KEY-1');\n  const summary")
        )
    trading = tmp_path / "trading.js"
    trading.write_text(trading.read_text().replace("return replay(", "return (null).replay("))
    run = run_node_bot(tmp_path, {"data_source": "sample.csv"})
    assert run.exit_code == 1
    assert run.result == {"status": "error", "message": "Unexpected TypeError; the log has its trace"}
    assert "TypeError" in run.errors


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,open\n1,2\n", "line 2 of the CSV file is not a candle"),
        ("", "holds no candles"),
        ("time,open,high,low,close,volume\nx,1,1,1,1,1\n", "line 2"),
        ("time,open,high,low,close,volume\n1,1,1,1,0,1\n", "line 2"),
        ("time,open,high,low,close,volume\n1,1,1,1,1,0x9\n", "line 2"),
        ("time,open,high,low,close,volume\n2,1,1,1,1,1\n2,1,1,1,1,1\n", "do not rise"),
        ("time,open,high,low,close,volume\n2024-13-01,1,1,1,1,1\n", "line 2"),
    ],
)
def test_a_wrong_csv_file_is_an_error(bots: dict[str, Path], text: str, message: str) -> None:
    folder = bots["dca scheduled"]
    (folder / "wrong.csv").write_text(text)
    run = run_node_bot(folder, {"data_source": "wrong.csv"})
    (folder / "wrong.csv").unlink()
    assert run.exit_code == 1
    assert run.result is not None
    assert message in run.result["message"]


def test_our_own_analysis_finds_no_fault(bots: dict[str, Path]) -> None:
    whole = {
        name: files_of(bots[name]) for name in ("grid realtime", "market_making scheduled", "dca scheduled")
    }
    whole["pairs_arbitrage realtime"] = files_of(bots["pairs_arbitrage realtime"])
    # What is each strategy's own, in one look: the linters' start is what takes time.
    own = ("strategy.js", "parameters.js", "tests/strategy.test.js")
    whole["the strategies"] = {
        f"{name.split()[0]}/{file}": (folder / file).read_bytes()
        for name, folder in bots.items()
        for file in own
    }
    for name, files in whole.items():
        report = analyse_files({file: data.decode() for file, data in files.items()})
        assert report.findings == (), name
        assert report.quality_score == 100


def test_the_code_is_laid_out_as_prettier_does_and_parses(bots: dict[str, Path]) -> None:
    # prettier is found from the script's place: the folder of tests lies beside node_modules.
    done = run_node(str(LAYOUT), *map(str, some(bots)), str(RUNNER.parent), folder=HERE)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("strategy", ["dca", "market_making", "pairs_arbitrage"])
def test_the_platform_takes_the_bot_by_its_upload_form(strategy: str, bots: dict[str, Path]) -> None:
    bot = read_bot(files_of(bots[f"{strategy} realtime"]))
    assert bot.config["runtime"] == "nodejs20"
    assert bot.entry == "main.js"
    assert one_source(bot) is None
    assert zip_of(bot.files).startswith(b"PK")


def test_the_schema_is_that_of_the_python_bot() -> None:
    for strategy in STRATEGIES.values():
        made = [
            render_bot(
                Bot(
                    name="a-bot",
                    strategy=strategy,
                    parameters=strategy.model(),
                    bot_type="realtime",
                    language=one,
                )
            )
            for one in ("python", "nodejs")
        ]
        assert made[0]["bot-schema.json"] == made[1]["bot-schema.json"]
        assert made[0]["sample.csv"] == made[1]["sample.csv"]
        assert made[0]["README.md"] != made[1]["README.md"]


def test_the_same_bot_has_the_same_bytes() -> None:
    strategy = STRATEGIES["grid"]
    bot = Bot(
        name="same", strategy=strategy, parameters=strategy.model(), bot_type="realtime", language="nodejs"
    )
    assert render_bot(bot) == render_bot(bot)


def test_bots_of_any_parameters_run_and_pass_their_tests(tmp_path: Path) -> None:
    link_packages(tmp_path)
    folders: list[Path] = []
    for strategy in STRATEGIES.values():
        folders += drawn_bots(strategy, tmp_path / strategy.name)
    done = run_node("--test-reporter=spec", str(MANY), *map(str, folders), folder=Path("/"))
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    outcomes = [json.loads(line) for line in done.stderr.splitlines()]
    assert len(outcomes) == len(folders) == SETS * len(STRATEGIES)
    assert {outcome["result"]["status"] for outcome in outcomes} == {"success"}
    # What is drawn stands in one of the files.
    layout = run_node(str(LAYOUT), *(str(folder / "parameters.js") for folder in folders), folder=HERE)
    assert (layout.returncode, layout.stdout) == (0, "")


def drawn_bots(strategy: Strategy, root: Path) -> list[Path]:
    """Bots of drawn parameters, whose configuration their own schema takes."""
    folders: list[Path] = []

    @settings(
        max_examples=SETS,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(parameter_sets(strategy))
    def build(parameters: BotParameters) -> None:
        folder = root / str(len(folders))
        bot_type = BOT_TYPES[len(folders) % 2]
        bot = write_bot(folder, strategy, bot_type=bot_type, parameters=parameters)
        schema = json.loads((folder / "bot-schema.json").read_text())
        Draft7Validator(schema).validate(configuration(parameters))
        assert yaml.safe_load((folder / "bot-config.yaml").read_text())["type"] == bot.bot_type
        folders.append(folder)

    build()
    return folders
