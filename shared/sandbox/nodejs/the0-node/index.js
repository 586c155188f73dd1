// What a bot imports: its configuration, its result, metrics, log lines, state and queries.
import { writeFileSync } from "node:fs";
import * as query from "./query.js";
import * as state from "./state.js";

/** The id and the configuration of the bot's instance; throws when a variable is missing or is no JSON. */
export function parse() {
  const id = variable("BOT_ID");
  const text = variable("BOT_CONFIG");
  try {
    return { id, config: JSON.parse(text) };
  } catch (problem) {
    throw new Error(`BOT_CONFIG is not JSON: ${problem.message}`, { cause: problem });
  }
}

/** Writes that the run went well. */
export function success(message, data) {
  result({ status: "success", message, ...(data && { data }) });
}

/** Writes that the run failed, and ends the process with exit code 1. */
export function error(message, data) {
  result({ status: "error", message, ...(data && { data }) });
  process.exit(1);
}

/** Writes any result; where the file cannot be written, standard error says so and the bot goes on. */
export function result(data) {
  try {
    writeFileSync(`/${process.env.CODE_MOUNT_DIR || "bot"}/result.json`, JSON.stringify(data));
  } catch (problem) {
    console.error(`RESULT_ERROR: the result file cannot be written: ${problem.message}`);
  }
}

/** One metric: a line of JSON on standard output. */
export function metric(type, data) {
  console.log(JSON.stringify({ _metric: type, ...data, timestamp: new Date().toISOString() }));
}

/** One log line: JSON on standard error. The second argument is data, or the level ("info", "warn", "error"). */
export function log(message, dataOrLevel, level = "info") {
  const isLevel = typeof dataOrLevel === "string";
  const data = isLevel ? {} : dataOrLevel;
  const said = { level: isLevel ? dataOrLevel : level, message };
  console.error(JSON.stringify({ ...said, ...data, timestamp: new Date().toISOString() }));
}

/** Resolves after so many milliseconds. */
export function sleep(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

function variable(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} environment variable not set`);
  return value;
}

export { query, state };
export default { parse, success, error, result, metric, log, sleep, state, query };
