// Runs many generated bots on their sample candles, then all their tests, in this one process.
//   node --test-reporter=spec node_many.mjs FOLDER...
// Standard error gets one line of JSON a folder: what the bot's main gave. The exit code is 1 when a test failed.
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { readdirSync } from "node:fs";

const silent = () => {};
const { log, error } = console;

for (const folder of process.argv.slice(2)) {
  Object.assign(process.env, { CODE_MOUNT_DIR: folder.slice(1) });
  const { main } = await import(pathToFileURL(join(folder, "main.js")));
  Object.assign(console, { log: silent, error: silent });
  const result = await main("t", { data_source: "sample.csv" });
  Object.assign(console, { log, error });
  error(JSON.stringify({ folder, result }));
}

for (const folder of process.argv.slice(2)) {
  for (const name of readdirSync(join(folder, "tests"))) {
    await import(pathToFileURL(join(folder, "tests", name)));
  }
}
