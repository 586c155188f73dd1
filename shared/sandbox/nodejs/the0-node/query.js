// Questions to a bot: handlers by path, asked once by variables or again and again over HTTP.
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";

const RESULT_FOLDER = "/query";
const PORT = 9476;

const handlers = new Map();
let params = {};
let config = {};

/** Thrown by what would change state while a query runs. */
export class ReadOnlyStateError extends Error {
  constructor(message) {
    super(message);
    this.name = "ReadOnlyStateError";
  }
}

/** Answers the path with what `answer({ path, params, get })` gives, or resolves to. */
export function handler(path, answer) {
  handlers.set(path, answer);
}

/** The parameters of the query that runs. */
export function getParams() {
  return { ...params };
}

/** The bot's configuration. */
export function getConfig() {
  return { ...config };
}

/** Whether the process was started for one query. */
export function isQueryMode() {
  return process.env.QUERY_PATH !== undefined;
}

/** Answers QUERY_PATH once, serves where BOT_TYPE is realtime, else tells the paths. */
export async function run() {
  config = jsonOr(process.env.BOT_CONFIG, {});
  if (!handlers.has("/health")) handler("/health", () => ({ status: "ok" }));
  if (!handlers.has("/info")) handler("/info", () => ({ available_queries: [...handlers.keys()] }));
  const path = process.env.QUERY_PATH;
  if (!path && process.env.BOT_TYPE === "realtime") return serve();
  return answerOnce(path || "/info");
}

async function answerOnce(path) {
  params = jsonOr(process.env.QUERY_PARAMS, {});
  const answer = handlers.get(path);
  if (!answer) {
    write({ status: "error", error: `No handler for path: ${path}`, available: [...handlers.keys()] });
    process.exit(1);
  }
  try {
    write({ status: "ok", data: await answer(request(path)) });
  } catch (problem) {
    write({ status: "error", error: String(problem) });
    process.exit(1);
  }
}

function serve() {
  const port = Number.parseInt(process.env.THE0_QUERY_PORT || String(PORT), 10);
  const server = createServer(async (asked, reply) => {
    const url = new URL(asked.url ?? "/", "http://localhost");
    params = Object.fromEntries(url.searchParams);
    const [status, body] = await answered(url.pathname);
    reply.writeHead(status, { "Content-Type": "application/json" });
    reply.end(JSON.stringify(body));
  });
  server.listen(port, "0.0.0.0", () => {
    console.error(JSON.stringify({ _log: "info", message: `Query server started on port ${port}` }));
  });
}

async function answered(path) {
  const answer = handlers.get(path);
  if (!answer) return [404, { status: "error", error: `No handler for path: ${path}` }];
  try {
    return [200, { status: "ok", data: await answer(request(path)) }];
  } catch (problem) {
    return [500, { status: "error", error: String(problem) }];
  }
}

function request(path) {
  const asked = params;
  return { path, params: asked, get: (key, otherwise) => asked[key] ?? otherwise };
}

function write(value) {
  try {
    mkdirSync(RESULT_FOLDER, { recursive: true });
    writeFileSync(`${RESULT_FOLDER}/result.json`, JSON.stringify(value));
  } catch (problem) {
    console.error(`RESULT_ERROR: the result file cannot be written: ${problem.message}`);
  }
}

function jsonOr(text, otherwise) {
  try {
    return JSON.parse(text || "{}");
  } catch {
    return otherwise;
  }
}
