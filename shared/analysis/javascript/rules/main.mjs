// Reads files as JSON from standard input, parses each once, and prints what the rules say, one JSON object a line.
// The analysed code is parsed and never run. A line is printed before each file is read, so that the caller
// knows which one ended the process, should the parser's stack not hold a hostile file.
import { readFileSync, writeSync } from "node:fs";
import { busyLoop } from "./busy_loop.mjs";
import { floatEquality } from "./float_equality.mjs";
import { futureIndex } from "./future_index.mjs";
import { literals } from "./literals.mjs";
import { measure } from "./measure.mjs";
import { liveGuard, positionLimit, swallowedError } from "./order_rules.mjs";
import { security } from "./security.mjs";
import { parse } from "./syntax.mjs";

const RULES = [futureIndex, positionLimit, liveGuard, swallowedError, busyLoop, floatEquality];

/** Writes the whole line, however little the pipe takes at a time. */
function say(value) {
  const line = Buffer.from(`${JSON.stringify(value)}\n`);
  for (let at = 0; at < line.length; ) at += writeSync(1, line, at);
}

const parsed = [];
for (const source of JSON.parse(readFileSync(0, "utf8"))) {
  say({ reading: source.name });
  const file = parse(source);
  if (file.error) say({ syntax: { file: source.name, ...file.error } });
  else if (file.unchecked) say({ unchecked: { file: source.name, reason: file.unchecked } });
  else parsed.push(file);
}
say({ reading: null });
for (const file of parsed) {
  const metrics = file.isTest ? null : measure(file);
  say({ file: { name: file.name, sourceType: file.sourceType, metrics, literals: literals(file) } });
  say({ findings: security(file) });
}
// A bot's tests neither trade nor decide.
const traded = parsed.filter((file) => !file.isTest);
for (const rule of RULES) say({ findings: rule(traded) });
say({ done: true });
