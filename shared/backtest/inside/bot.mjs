/** A bot's own modules, as the driver calls them; see bot.py. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const START_CASH = 10_000;
const MOST_KEPT = 1024;
const MOST_TEXT = 80;
const MAX_QUOTES = 100;

/** The bot's files do not have the form that a backtest can run. */
export class FormError extends Error {
  name = "FormError";
  kind = "form";
}

/** The bot trades a market of which there are no candles. */
export class MissingCandlesError extends Error {
  name = "MissingCandlesError";
  kind = "candles";
}

/** The bot's own Parameters refuse the configuration. */
export class RefusedConfigError extends Error {
  name = "RefusedConfigError";
  kind = "config";
}

/** The bot that lies in this folder, with this configuration. */
export async function openBot(folder, config, symbols) {
  const strategy = await load(folder, "strategy.js");
  const risk = existsSync(join(folder, "risk.js")) ? await load(folder, "risk.js") : {};
  const parameters = await openParameters(folder, config);
  const Decimal = await decimals(folder);
  return new Bot({ strategy, risk, parameters, Decimal, symbols });
}

class Bot {
  constructor({ strategy, risk, parameters, Decimal, symbols }) {
    this.strategy = strategy;
    this.risk = risk;
    this.parameters = parameters;
    this.Decimal = Decimal;
    this.several = typeof strategy.decideAll === "function";
    if (!this.several && typeof strategy.decide !== "function") {
      throw new FormError("strategy.js has neither decide nor decideAll");
    }
    if (typeof strategy.candlesNeeded !== "function") throw new FormError("strategy.js has no candlesNeeded");
    this.needed = Math.max(1, Math.trunc(strategy.candlesNeeded(parameters)));
    this.symbols = this.several
      ? [...strategy.symbols(parameters)]
      : [String(parameters.symbol ?? symbols[0] ?? "market")];
    this.linked = this.several && Boolean(strategy.LINKED);
    this.accounts = new Map();
    this.numbers = new Map();
    this.zero = Decimal === null ? 0 : new Decimal(0);
    this.cash = Number(parameters.paperBalance ?? parameters.paper_balance ?? START_CASH);
  }

  candles(rows) {
    if (typeof this.strategy.candle === "function") return rows.map((row) => this.strategy.candle(...row));
    const number = (cell) => this.number(cell);
    return rows.map(([time, open, high, low, close, volume, rate]) => ({
      time,
      open: number(open),
      high: number(high),
      low: number(low),
      close: number(close),
      volume: number(volume),
      fundingRate: number(rate),
    }));
  }

  /** A number as the bot has it: its own decimals, or plain numbers where it has none. */
  number(value) {
    if (value === 0) return this.zero;
    return this.Decimal === null ? Number(value) : new this.Decimal(value);
  }

  /** The same for prices and holdings, which are asked for again and again within a candle. */
  known(value) {
    let number = this.numbers.get(value);
    if (number === undefined) {
      number = this.number(value);
      if (this.numbers.size >= MOST_KEPT) this.numbers.clear();
      this.numbers.set(value, number);
    }
    return number;
  }

  holding(ledger, place) {
    const { quantity, entryPrice, lastPrice, lastBuyTime } = ledger.positions[place];
    return this.held(quantity, entryPrice, lastPrice, lastBuyTime);
  }

  held(quantity, entryPrice, lastPrice, lastBuyTime) {
    const [held, entry, last] = [quantity, entryPrice, lastPrice].map((one) => this.known(one));
    return { quantity: held, entryPrice: entry, lastPrice: last, lastBuyTime };
  }

  decide(windows, holdings) {
    if (!this.several) return [checked(this.strategy.decide(windows[0], this.parameters, holdings[0]))];
    const bySymbol = (values) => Object.fromEntries(this.symbols.map((symbol, place) => [symbol, values[place]]));
    const answer = this.strategy.decideAll(bySymbol(windows), this.parameters, bySymbol(holdings));
    return this.symbols.map((symbol) => (symbol in answer ? checked(answer[symbol]) : null));
  }

  budget(ledger, place, index, price, wanted) {
    const isGiven = wanted !== null && wanted !== undefined;
    if (typeof this.risk.buyBudget !== "function") return isGiven ? Number(wanted) : ledger.free(index);
    const time = ledger.markets[place][index][0];
    const asked = isGiven ? this.number(wanted) : null;
    const account = this.accountAt(ledger, place, index);
    return Math.max(0, Number(this.risk.buyBudget(account, this.parameters, this.known(price), asked, time)));
  }

  /** Why the bot's limits end positions at the candle's opening: pairs of market and reason. */
  exits(ledger, index) {
    const prices = ledger.markets.map((rows) => rows[index][1]);
    if (!this.several || typeof this.risk.exitReasons !== "function") {
      return prices
        .map((price, place) => [place, this.exitReason(ledger, place, index, price)])
        .filter(([place, reason]) => reason !== null && ledger.positions[place].quantity !== 0);
    }
    const bySymbol = (value) => Object.fromEntries(this.symbols.map((symbol, place) => [symbol, value(place)]));
    const accounts = bySymbol((place) => this.accountAt(ledger, place, index));
    const reasons = this.risk.exitReasons(accounts, this.parameters, bySymbol((place) => this.known(prices[place])));
    return Object.entries(reasons).map(([symbol, reason]) => [this.symbols.indexOf(symbol), text(reason)]);
  }

  exitReason(ledger, place, index, price) {
    if (typeof this.risk.exitReason !== "function") return null;
    const account = this.accountAt(ledger, place, index);
    const reason = this.risk.exitReason(account, this.parameters, this.known(price));
    return reason === null || reason === undefined ? null : text(reason);
  }

  /** The bot's own account with what the ledger holds of the market; kept until a booking. */
  accountAt(ledger, place, index) {
    const isHeldElsewhere = ledger.positions.some((one, other) => one.quantity !== 0 && other !== place);
    // What the other markets are worth changes with each candle.
    const wanted = isHeldElsewhere ? index : -1;
    const kept = this.accounts.get(place);
    if (kept?.version === ledger.version && kept.wanted === wanted) return kept.account;
    const known = kept?.version === ledger.version ? kept.known : this.accountValues(ledger, place);
    if (this.several) known.others = this.number(isHeldElsewhere ? othersWorth(ledger, place, index) : 0);
    const account = new this.risk.Account(known.cash, known);
    this.accounts.set(place, { version: ledger.version, wanted, known, account });
    return account;
  }

  accountValues(ledger, place) {
    const position = ledger.positions[place];
    let collateral = 0;
    for (const one of ledger.positions) {
      if (one.quantity < 0) collateral -= one.quantity * one.entryPrice;
    }
    return {
      cash: this.known(ledger.cash - 2 * collateral),
      ...this.holding(ledger, place),
      tradesToday: position.entries,
      day: position.day < 0 ? "" : new Date(position.day * 86_400_000).toISOString().slice(0, 10),
    };
  }
}

function othersWorth(ledger, place, index) {
  let total = 0;
  ledger.positions.forEach((one, other) => {
    if (other !== place && one.quantity !== 0) total += worth(one, ledger.markets[other][index][1]);
  });
  return total;
}

function worth({ quantity, entryPrice }, price) {
  return quantity >= 0 ? quantity * price : quantity * (price - 2 * entryPrice);
}

function checked(signal) {
  if (!["buy", "sell", "hold"].includes(signal?.action)) {
    throw new FormError(`a decision's action must be buy, sell or hold, not ${text(signal?.action).slice(0, 40)}`);
  }
  const amount = signal.amount ?? null;
  if (amount !== null && !(Number(amount) >= 0 && Number(amount) < Infinity)) {
    throw new FormError(`a decision's amount must be a number from zero, not ${text(amount).slice(0, 40)}`);
  }
  if (!isShare(signal.share ?? 1)) {
    throw new FormError(`a decision's share must lie between 0 and 1, not ${text(signal.share).slice(0, 40)}`);
  }
  if ((signal.quotes ?? []).length > MAX_QUOTES) throw new FormError(`a decision has at most ${MAX_QUOTES} quotes`);
  return signal;
}

let lastShare = 1;

/** Whether it lies between 0 and 1; most signals give up all by one and the same number. */
function isShare(share) {
  if (share === lastShare) return true;
  const number = Number(share);
  if (!(number >= 0 && number <= 1)) return false;
  lastShare = share;
  return true;
}

/** At most 80 characters, as the other runtime cuts them. */
export function text(value) {
  const whole = String(value);
  return whole.length <= MOST_TEXT ? whole : [...whole].slice(0, MOST_TEXT).join("");
}

async function openParameters(folder, config) {
  if (!existsSync(join(folder, "parameters.js"))) return { ...schemaDefaults(folder), ...config };
  const { Parameters } = await load(folder, "parameters.js");
  if (Parameters === undefined) return { ...schemaDefaults(folder), ...config };
  try {
    return typeof Parameters.fromConfig === "function" ? Parameters.fromConfig(config) : new Parameters(config);
  } catch (error) {
    throw new RefusedConfigError(String(error?.message ?? error).slice(0, 300));
  }
}

function schemaDefaults(folder) {
  try {
    const { properties } = JSON.parse(readFileSync(join(folder, "bot-schema.json"), "utf8"));
    const given = Object.entries(properties).filter(([, field]) => "default" in field);
    return Object.fromEntries(given.map(([name, field]) => [name, field.default]));
  } catch {
    return {};
  }
}

/** The bot's own decimals by its money.js, else none. */
async function decimals(folder) {
  if (!existsSync(join(folder, "money.js"))) return null;
  return (await load(folder, "money.js")).Decimal ?? null;
}

async function load(folder, name) {
  if (!existsSync(join(folder, name))) throw new FormError(`the bot has no ${name}`);
  return import(pathToFileURL(join(folder, name)).href);
}
