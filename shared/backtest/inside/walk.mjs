/** Walks a bot over candles as walk.py does: what it decides on one is traded at the opening of the next. */
import { text } from "./bot.mjs";
import { DUST } from "./ledger.mjs";

const [OPEN, HIGH, LOW] = [1, 2, 3];
const HALVINGS = 60;

export class Walk {
  constructor(bot, ledger, candles, emit) {
    Object.assign(this, { bot, ledger, candles, emit, at: 0 });
  }

  /** From the first candle to the last, or to the account's ruin. */
  run() {
    const { bot, ledger, candles } = this;
    const heldNow = () => candles.map((_, place) => bot.holding(ledger, place));
    let [decided, holdings, version] = [null, heldNow(), ledger.version];
    for (let index = 0; index < candles[0].length; index += 1) {
      this.at = index;
      if (decided !== null) {
        this.trade(index, decided);
        if (ledger.ruinedAt !== null) return;
      }
      if (version !== ledger.version) [holdings, version] = [heldNow(), ledger.version];
      const start = Math.max(0, index + 1 - bot.needed);
      // A slice is a list of its own: nothing in it leads to what comes later.
      decided = bot.decide(
        candles.map((series) => series.slice(start, index + 1)),
        holdings,
      );
    }
  }

  trade(index, signals) {
    const { ledger } = this;
    if (this.isIdle(signals)) return;
    ledger.payFunding(index);
    let free = this.gapExits(index, signals.length);
    if (this.bot.linked && free.includes(false)) free = signals.map(() => false);
    const held = ledger.positions.map((position) => position.quantity);
    const acting = signals
      .map((signal, place) => [place, signal])
      .filter(([place, signal]) => free[place] && signal !== null && signal.action !== "hold");
    // What frees money goes first.
    for (const [place, signal] of acting) this.reduce(index, place, signal, held[place]);
    if (this.bot.linked) this.enterTogether(index, acting, held);
    else for (const [place, signal] of acting) this.enter(index, place, signal, held[place]);
    signals.forEach((signal, place) => this.within(index, place, signal));
    ledger.settle(index);
  }

  /** Whether a candle changes nothing: nothing is held, and nothing is to be done. */
  isIdle(signals) {
    const isHolding = (signal) => signal === null || (signal.action === "hold" && !(signal.quotes?.length > 0));
    return this.ledger.positions.every((position) => position.quantity === 0) && signals.every(isHolding);
  }

  gapExits(index, count) {
    const free = Array(count).fill(true);
    if (!this.ledger.positions.some((position) => position.quantity !== 0)) return free;
    for (const [place, reason] of this.bot.exits(this.ledger, index)) {
      free[place] = false;
      this.send([index, place, "exit", this.ledger.markets[place][index][OPEN], reason]);
    }
    return free;
  }

  reduce(index, place, signal, held) {
    if ((signal.action === "sell" && held > 0) || (signal.action === "buy" && held < 0)) {
      this.send([index, place, "reduce", Math.abs(held) * Number(signal.share ?? 1), text(signal.reason)]);
    }
  }

  enter(index, place, signal, held) {
    const wanted = signal.amount ?? null;
    const isBuy = signal.action === "buy" && held >= 0;
    const isShort = signal.action === "sell" && held <= 0 && wanted !== null;
    if (!isBuy && !isShort) return;
    const budget = this.bot.budget(this.ledger, place, index, this.ledger.markets[place][index][OPEN], wanted);
    if (budget > DUST) this.send([index, place, isBuy ? "buy" : "short", budget, text(signal.reason)]);
  }

  /** Opens all legs or none, each by the same share of its amount. */
  enterTogether(index, acting, held) {
    const { ledger } = this;
    const legs = acting.filter(([, signal]) => Number(signal.amount ?? 0) > 0);
    if (legs.length < held.length || held.some((quantity) => quantity !== 0)) return;
    const openings = ledger.markets.map((rows) => rows[index][OPEN]);
    const budgets = legs.map(([place, { amount }]) => this.bot.budget(ledger, place, index, openings[place], amount));
    const total = legs.reduce((sum, [, { amount }]) => sum + Number(amount), 0);
    let share = Math.min(1, ledger.free(index) / (1 + ledger.taker) / total);
    share = Math.min(share, ...legs.map(([, { amount }], leg) => budgets[leg] / Number(amount)));
    for (const [place, signal] of legs) {
      if (share <= 0) return;
      const amount = Number(signal.amount);
      const action = signal.action === "buy" ? "buy" : "short";
      this.send([index, place, action, amount * share, text(signal.reason)]);
      // What the volume left off one leg is left off the other too.
      share = Math.min(share, (Math.abs(ledger.positions[place].quantity) * openings[place]) / amount);
    }
  }

  /** Resting orders, then the stop at the candle's worst, then the target at its best. */
  within(index, place, signal) {
    const position = this.ledger.positions[place];
    const before = position.quantity;
    const quotes = signal?.quotes ?? [];
    if (quotes.length > 0) this.rest(index, place, quotes);
    const held = position.quantity;
    // Where legs are judged together, their prices at one moment inside the candle are not known.
    if (held === 0 || this.bot.linked) return;
    const row = this.ledger.markets[place][index];
    const [worst, best] = held > 0 ? [row[LOW], row[HIGH]] : [row[HIGH], row[LOW]];
    if (this.exitTowards(index, place, row[OPEN], worst)) return;
    // Whether the best came before or after a fill of this candle is not known: it is not taken.
    if (held === before) this.exitTowards(index, place, row[OPEN], best);
  }

  rest(index, place, quotes) {
    const opening = this.ledger.markets[place][index][OPEN];
    const resting = [];
    for (const quote of quotes) {
      const price = Number(quote.price);
      let amount = Number(quote.amount);
      if (quote.side === "buy") {
        amount = Math.min(amount, this.bot.budget(this.ledger, place, index, opening, quote.amount));
      }
      if (amount > 0 && price > 0) resting.push([String(quote.side), price, amount]);
    }
    this.send([index, place, "rest", resting, "quote"]);
  }

  exitTowards(index, place, opening, extreme) {
    const reason = this.bot.exitReason(this.ledger, place, index, extreme);
    if (reason === null) return false;
    this.send([index, place, "exit", this.level(index, place, opening, extreme), reason]);
    return true;
  }

  /** Where the limit lies: the parameters' own level where it is one, else found by halving. */
  level(index, place, opening, extreme) {
    const ends = (price) => this.bot.exitReason(this.ledger, place, index, price) !== null;
    if (ends(opening)) return opening;
    const isBetween = (price) => Math.min(opening, extreme) <= price && price <= Math.max(opening, extreme);
    for (const level of this.namedLevels(place)) {
      if (isBetween(level) && !ends(level + (opening - level) * 1e-9) && ends(level)) return level;
    }
    let [outside, inside] = [opening, extreme];
    for (let step = 0; step < HALVINGS; step += 1) {
      const middle = (outside + inside) / 2;
      if (middle === outside || middle === inside) break;
      [outside, inside] = ends(middle) ? [outside, middle] : [middle, inside];
    }
    return inside;
  }

  namedLevels(place) {
    const { quantity, entryPrice } = this.ledger.positions[place];
    const side = quantity > 0 ? 1 : -1;
    const { parameters } = this.bot;
    const limits = [
      [parameters.stopLossPct ?? parameters.stop_loss_pct, -1],
      [parameters.takeProfitPct ?? parameters.take_profit_pct, 1],
    ];
    return limits
      .filter(([share]) => share !== null && share !== undefined)
      .map(([share, sign]) => entryPrice * (1 + (sign * side * Number(share)) / 100));
  }

  send(order) {
    this.emit(order);
    this.ledger.book(order);
  }
}
