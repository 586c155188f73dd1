/** The script that the sandbox starts: `main.mjs BOT_FOLDER` with the job on standard input. */
import { resolve } from "node:path";
import { main } from "./driver.mjs";

await main(resolve(process.argv[2]), process.env.OUT_DIR);
