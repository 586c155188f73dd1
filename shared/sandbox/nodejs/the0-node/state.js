// What a bot keeps from run to run: one JSON file a key.
import { existsSync, mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ENDING = ".json";

/** The value of the key; the default where there is none, or where the file is no JSON. */
export function get(key, defaultValue) {
  const path = pathOf(key);
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return defaultValue;
  }
}

/** Stores the value as JSON; throws the file system's error where it cannot. */
export function set(key, value) {
  const path = pathOf(key);
  mkdirSync(folder(), { recursive: true });
  writeFileSync(path, JSON.stringify(value));
}

/** Whether the key was there to be removed. */
export function remove(key) {
  return removed(pathOf(key));
}

/** Every key. */
export function list() {
  return files().map((name) => name.slice(0, -ENDING.length));
}

/** Removes every key. */
export function clear() {
  for (const name of files()) removed(join(folder(), name));
}

/** Whether the key has a value. */
export function exists(key) {
  return existsSync(pathOf(key));
}

function folder() {
  return process.env.STATE_DIR || "/state/.the0-state";
}

function pathOf(key) {
  if (!key) throw new Error("State key cannot be empty");
  if (/[/\\]|\.\./.test(key)) throw new Error("State key cannot contain path separators or '..'");
  return join(folder(), `${key}${ENDING}`);
}

function files() {
  return unlessMissing(() => readdirSync(folder()).filter((name) => name.endsWith(ENDING)), []);
}

function removed(path) {
  return unlessMissing(() => {
    unlinkSync(path);
    return true;
  }, false);
}

function unlessMissing(work, otherwise) {
  try {
    return work();
  } catch (problem) {
    if (problem.code === "ENOENT") return otherwise;
    throw problem;
  }
}

export { remove as delete };
