// Runs a bot as the platform's runtime does: node run_bot.cjs
// It goes to /$CODE_MOUNT_DIR, loads $SCRIPT_PATH by require, calls main(id, config), and writes what main gives as
// the result, over what the SDK wrote. Where code cannot be written beside, $BOT_CODE names its folder. A bot that was told to stop is not stopped by this program: it ends its main.
const { writeFileSync } = require("node:fs");

const folder = `/${process.env.CODE_MOUNT_DIR || "bot"}`;
const code = process.env.BOT_CODE || folder;

function finish(result, code) {
  try {
    writeFileSync(`${folder}/result.json`, JSON.stringify(result));
  } catch (problem) {
    console.error(`RESULT_ERROR: the result file cannot be written: ${problem.message}`);
  }
  process.exit(code);
}

function failed(problem) {
  console.error(problem);
  finish({ status: "error", message: problem.message }, 1);
}

function loaded() {
  const bot = require(`${code}/${process.env.SCRIPT_PATH || "main"}`);
  const main = bot.main || bot.default || bot;
  if (typeof main !== "function") throw new Error("No main function found in module");
  return main;
}

async function run() {
  process.chdir(code);
  const config = JSON.parse(process.env.BOT_CONFIG || "{}");
  const result = await loaded()(process.env.BOT_ID || "", config);
  finish(result || { status: "success", message: "Bot executed successfully" }, 0);
}

// Into a pipe whose reader is slower, Node.js writes later, and an exit before then loses it: 64 KB are what a pipe holds.
for (const stream of [process.stdout, process.stderr]) stream._handle?.setBlocking?.(true);
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => console.error(`SIGNAL: ${signal}`));
run().catch(failed);
