/** Runs tasks on a Node.js bot inside the sandbox; what it writes is told in driver.py. */
import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { MissingCandlesError, openBot } from "./bot.mjs";
import { Ledger } from "./ledger.mjs";
import { probe } from "./probe.mjs";
import { csvText } from "./variants.mjs";
import { Walk } from "./walk.mjs";

const MESSAGES_A_LINE = 256;

class Driver {
  constructor(job, source, output) {
    this.job = job;
    this.source = source;
    this.output = output;
    this.messages = [];
    this.symbols = job.markets.map((market) => market.symbol);
    this.base = mkdtempSync(join(tmpdir(), "bot-"));
    this.copies = 0;
    this.laidOut = null;
  }

  emit(...message) {
    this.messages.push(message);
    if (this.messages.length >= MESSAGES_A_LINE) this.flush();
  }

  flush() {
    if (this.messages.length > 0) writeSync(this.output, `${JSON.stringify(this.messages)}\n`);
    this.messages = [];
  }

  async run() {
    for (const [number, task] of this.job.tasks.entries()) {
      const position = { index: null };
      try {
        if (task.kind === "run") await this.walk(number, task, position);
        else {
          await probe(this, number, task);
          this.emit(number, "end", { points: task.points.length });
        }
      } catch (error) {
        this.emit(number, "crash", this.crash(error, position.index));
      }
      this.flush();
    }
  }

  /** The bot with the task's configuration; other candles make another copy of it, imported anew. */
  async bot(task, markets) {
    if (this.laidOut !== markets) {
      this.layOut(markets);
      this.laidOut = markets;
    }
    process.chdir(this.folder);
    return openBot(this.folder, { ...this.job.config, ...task.config }, this.symbols);
  }

  markets(task) {
    const { from = 0, to = undefined, shift_ms: shift = 0 } = task;
    const key = `${from}/${to}/${shift}`;
    // The same candles are the same list, so that a bot is not laid out again for each configuration.
    if (this.key !== key) {
      const series = this.job.markets.map((market) => market.rows.slice(from, to));
      this.series = shift ? series.map((rows) => rows.map(([time, ...cells]) => [time + shift, ...cells])) : series;
      this.key = key;
    }
    return this.series;
  }

  ordered(bot, markets) {
    if (markets.length === 1 && !bot.several) return markets;
    const missing = bot.symbols.filter((symbol) => !this.symbols.includes(symbol));
    if (missing.length > 0) throw new MissingCandlesError(`there are no candles of ${missing.join(", ")}`);
    return bot.symbols.map((symbol) => markets[this.symbols.indexOf(symbol)]);
  }

  async walk(number, task, position) {
    const given = this.markets(task);
    const bot = await this.bot(task, given);
    const markets = this.ordered(bot, given);
    const { symbols, needed, cash } = bot;
    this.emit(number, "form", { mode: bot.several ? "several" : "one", symbols, needed, cash });
    const rows = markets.map((series) => series.map((cells) => cells.map(Number)));
    const shortable = symbols.map((symbol) => symbol.includes(":"));
    const ledger = new Ledger({ markets: rows, shortable, costs: task.costs ?? this.job.costs, cash });
    const candles = markets.map((series) => bot.candles(series));
    const walk = new Walk(bot, ledger, candles, (order) => this.emit(number, "order", ...order));
    try {
      walk.run();
    } finally {
      position.index = walk.at;
    }
    const quantities = ledger.positions.map((one) => one.quantity);
    this.emit(number, "end", { candles: rows[0].length, cash: ledger.cash, quantities });
  }

  layOut(markets) {
    this.folder = join(this.base, String(this.copies));
    this.copies += 1;
    cpSync(this.source, this.folder, { recursive: true });
    const content = csvText(this.symbols, markets, this.job.columns);
    for (const name of this.job.data_files) {
      mkdirSync(dirname(join(this.folder, name)), { recursive: true });
      writeFileSync(join(this.folder, name), content);
    }
  }

  /** What was raised and where in the bot's own files. */
  crash(error, index) {
    const stack = String(error?.stack ?? "");
    const at = stack.split(`${this.folder}/`)[1]?.match(/^([^\s:)]+):(\d+)/);
    return {
      error: `${error?.name ?? "Error"}: ${error?.message ?? error}`.slice(0, 300),
      place: at ? `${at[1]}:${at[2]}` : "",
      index,
      kind: error?.kind ?? "",
    };
  }
}

/** Reads the job from standard input and runs it on copies of the bot that may be written to. */
export async function main(source, outFolder) {
  const job = JSON.parse(readFileSync(0, "utf8"));
  mkdirSync(outFolder, { recursive: true });
  const output = openSync(join(outFolder, "decisions.jsonl"), "w");
  const driver = new Driver(job, source, output);
  try {
    await driver.run();
  } finally {
    closeSync(output);
  }
}
