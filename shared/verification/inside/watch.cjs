"use strict";
// Loaded by Node.js before a bot's code: writes down what the bot tries to reach outside its folder.
// It runs inside the sandbox, which is what keeps the bot in; this only tells of it.
const fs = require("fs");
const path = require("path");

const log = fs.openSync(path.join(process.env.OUT_DIR, "attempts.jsonl"), "a");
const own = ["/job", "/scratch", "/tmp", "/node_modules", "/dev/null", "/usr/bin/node"];
const told = new Set();
const write = fs.writeSync;

function tell(line) {
  if (told.size < 100 && !told.has(line)) {
    told.add(line);
    write(log, `${line.slice(0, 300).replaceAll("\n", " ")}\n`);
  }
}

function wrap(holder, name, describe) {
  const original = holder[name];
  if (typeof original !== "function") return;
  holder[name] = function (...values) {
    const line = describe(values);
    if (line) tell(line);
    return Reflect.apply(original, this, values);
  };
}

function outside([file]) {
  if (typeof file !== "string" && !Buffer.isBuffer(file)) return "";
  const name = path.resolve(String(file));
  return own.some((one) => name.startsWith(one)) ? "" : `file ${name}`;
}

for (const name of ["openSync", "open", "readFileSync", "readFile", "writeFileSync", "writeFile", "readdirSync"]) {
  wrap(fs, name, outside);
}
for (const name of ["open", "readFile", "writeFile", "readdir"]) wrap(fs.promises, name, outside);
const net = require("net");
wrap(net.Socket.prototype, "connect", () => "network connect");
wrap(require("dns"), "lookup", () => "network lookup");
wrap(require("dgram"), "createSocket", () => "network socket");
const child = require("child_process");
for (const name of ["spawn", "spawnSync", "exec", "execSync", "execFile", "execFileSync", "fork"]) {
  wrap(child, name, () => `process ${name}`);
}
wrap(globalThis, "fetch", () => "network fetch");
