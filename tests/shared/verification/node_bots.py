"""Small Node.js bots of no form of ours, in modules and in CommonJS: honest but for what is planted."""

from __future__ import annotations

import json

from tests.shared.verification.bad_bots import Bad
from tests.shared.verification.bots import CONFIG, free_bot

_CONFIG = CONFIG.replace("python3.11", "nodejs20").replace("main.py", "main.js")
_BODY = """\
const read = () => {
  const [, ...lines] = readFileSync(join(HERE, "sample.csv"), "utf8").trim().split("\\n");
  return lines.map((line) => line.split(","));
};
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

async function main(id, config) {
  const rows = read();
  const [times, closes] = [rows.map((row) => row[0]), rows.map((row) => +row[4])];
  let held = false;
BEFORE
  for (let i = 20; i < rows.length; i += 1) {
    const score = SCORE;
    metric("price", { market_time: times[i], value: closes[i], score });
    if (!held && score > 0.01) {
      held = true;
      metric("signal", { type: "BUY", market_time: times[i], price: closes[i] });
    } else if (held && score < 0) {
      held = false;
      metric("signal", { type: "SELL", market_time: times[i], price: closes[i] });
    }
  }
  return { status: "success", message: "Replayed", data: { candles: rows.length } };
}
"""
_MODULE = """\
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { metric } from "@alexanderwanyoike/the0-node";

const HERE = import.meta.dirname;
"""
_COMMON = """\
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { metric } = require("@alexanderwanyoike/the0-node");

const HERE = __dirname;
"""
_TEST = """import test from "node:test";\ntest("it adds", () => {});\n"""
_HONEST = "closes[i] / mean(closes.slice(i - 19, i + 1)) - 1"
_NEXT = "(closes[i + 1] ?? closes[i]) / closes[i] - 1"
_EMA = """\
  let level = closes[0];
  const levels = closes.map((close) => (level += 0.002 * (close - level)));
"""
_CENTRED = "mean(closes.slice(i - 9, i + 10)) / closes[i] - 1"


def node_bot(
    *, module: bool, score: str = _HONEST, before: str = "", exports: str | None = None
) -> dict[str, bytes]:
    """The bot with these pieces in it, as a module or in CommonJS."""
    head = _MODULE if module else _COMMON
    tail = (
        ("\nexport { main };\n" if module else "\nmodule.exports = { main };\n")
        if exports is None
        else exports
    )
    texts = {
        "main.js": head + _BODY.replace("SCORE", score).replace("BEFORE\n", before) + tail,
        "package.json": json.dumps({"name": "planted", "type": "module" if module else "commonjs"}),
        "bot-config.yaml": _CONFIG,
        "tests/bot.test.mjs": _TEST,
    }
    shared = {name: data for name, data in free_bot().items() if not name.endswith(".py")}
    return {**shared, **{name: text.encode() for name, text in texts.items()}}


BAD_NODE = (
    Bad("the next close, a module", "look-ahead", node_bot(module=True, score=_NEXT)),
    Bad("a centred window, CommonJS", "look-ahead", node_bot(module=False, score=_CENTRED)),
    Bad(
        "scaled by the highest ever, CommonJS",
        "look-ahead",
        node_bot(module=False, score="closes[i] / Math.max(...closes) - 0.8"),
    ),
    Bad(
        "an average without an end, a module",
        "warm-up",
        node_bot(module=True, before=_EMA, score="closes[i] / levels[i] - 1"),
        "verified_with_warnings",
    ),
    Bad("chance, a module", "not-repeatable", node_bot(module=True, score="Math.random() - 0.5")),
    Bad(
        "a crash in the middle, CommonJS",
        "crashes",
        node_bot(module=False, score="closes[i] / closes[i === 200 ? lost : i - 1] - 1"),
    ),
    Bad("nothing to call, a module", "crashes", node_bot(module=True, exports="")),
    Bad(
        "a wait at its top, a module",
        "crashes",
        node_bot(module=True, before="", exports="\nawait 0;\nexport { main };\n"),
    ),
    Bad(
        "the network in a replay, CommonJS",
        "reaches-out",
        node_bot(module=False, before='  await fetch("https://api.exchange.example").catch(() => null);\n'),
    ),
    Bad(
        "a loop without an end, CommonJS",
        "does-not-end",
        node_bot(module=False, before="  while (held === false) Math.sqrt(2);\n"),
    ),
)
GOOD_NODE = {
    "a mean, a module": node_bot(module=True),
    "a mean, CommonJS": node_bot(module=False),
    "a positive shift, CommonJS": node_bot(module=False, score="closes[i] / closes[i - 1] - 1 + 0.004"),
    "main itself exported, CommonJS": node_bot(module=False, exports="\nmodule.exports = main;\n"),
    "a default export, a module": node_bot(module=True, exports="\nexport default main;\n"),
}
