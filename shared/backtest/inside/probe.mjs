/** Asks a freshly imported bot for the same decisions with other futures, and with more of the past; see probe.py. */
import { varied } from "./variants.mjs";

const OFFSETS = [0, 1, 2, 3, 5, 8, 13, 21];
const MORE = [2, 4];

export async function probe(driver, number, task) {
  const original = driver.markets(task);
  for (const [place, point] of task.points.entries()) {
    for (const variant of task.variants) {
      const markets = varied(original, variant, point.at + 1);
      try {
        const bot = await driver.bot(task, markets);
        const asking = new Asking({ driver, number, place, bot, point }, driver.ordered(bot, markets));
        asking.eachOffset(variant);
        if (variant === "full") asking.more();
      } catch (error) {
        // A bot that cannot even be imported without what comes later is a finding, not our failure.
        driver.emit(number, "probe", place, variant, point.at, [raised(error)]);
      }
    }
  }
}

class Asking {
  constructor({ driver, number, place, bot, point }, markets) {
    Object.assign(this, { driver, number, place, bot, at: point.at });
    this.start = Math.max(0, this.at + 1 - Math.max(...OFFSETS) - Math.max(...MORE) * bot.needed);
    this.candles = markets.map((rows) => bot.candles(rows.slice(this.start, this.at + 1)));
    this.holdings = point.holdings.map((held) => bot.held(...held));
  }

  eachOffset(variant) {
    for (const offset of OFFSETS) if (this.at >= offset) this.ask(variant, this.at - offset, 1);
  }

  more() {
    this.ask("again", this.at, 1);
    for (const times of MORE) {
      if (this.at + 1 >= times * this.bot.needed) this.ask(`more${times}`, this.at, times);
    }
  }

  ask(variant, index, times) {
    const end = index + 1 - this.start;
    const start = Math.max(0, end - times * this.bot.needed);
    let told;
    try {
      const windows = this.candles.map((series) => series.slice(start, end));
      told = this.bot.decide(windows, this.holdings).map(signalForm);
    } catch (error) {
      told = [raised(error)];
    }
    this.driver.emit(this.number, "probe", this.place, variant, index, told);
  }
}

function raised(error) {
  return [`raised ${error?.name ?? "Error"}`, null, 1, [], {}];
}

function signalForm(signal) {
  if (signal === null) return null;
  const quotes = (signal.quotes ?? []).map((quote) => [
    String(quote.side),
    Number(quote.price),
    Number(quote.amount),
  ]);
  // JSON writes null for what is not finite.
  const values = Object.entries(signal.values ?? {}).map(([name, value]) => [name.slice(0, 40), Number(value)]);
  const amount = signal.amount ?? null;
  return [
    String(signal.action),
    amount === null ? null : Number(amount),
    Number(signal.share ?? 1),
    quotes,
    Object.fromEntries(values),
  ];
}
