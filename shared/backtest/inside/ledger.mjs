/** The model of fills of ledger.py for Node.js: the same operations in the same order, so the same floats. */

const [TIME, OPEN, HIGH, LOW, CLOSE, VOLUME, FUNDING] = [0, 1, 2, 3, 4, 5, 6];
export const DUST = 1e-9;
const DAY_MS = 86_400_000;

/** See Ledger in ledger.py; `costs` are maker, taker, slippage and volume share. */
export class Ledger {
  constructor({ markets, shortable, costs, cash }) {
    this.markets = markets;
    this.shortable = shortable;
    [this.maker, this.taker, this.slippage, this.volumeShare] = costs;
    this.cash = cash;
    this.version = 0;
    this.ruinedAt = null;
    this.positions = markets.map(() => ({
      quantity: 0,
      entryPrice: 0,
      lastPrice: 0,
      lastBuyTime: 0,
      entries: 0,
      day: -1,
    }));
  }

  equity(index, column = CLOSE) {
    let total = this.cash;
    this.positions.forEach((position, place) => {
      if (position.quantity !== 0) total += position.quantity * this.markets[place][index][column];
    });
    return total;
  }

  free(index) {
    let gross = 0;
    this.positions.forEach((position, place) => {
      if (position.quantity !== 0) gross += Math.abs(position.quantity) * this.markets[place][index][OPEN];
    });
    return Math.max(0, this.equity(index, OPEN) - gross);
  }

  payFunding(index) {
    this.positions.forEach((position, place) => {
      const row = this.markets[place][index];
      if (position.quantity !== 0 && row[FUNDING] !== 0) {
        this.cash -= position.quantity * row[OPEN] * row[FUNDING];
        this.version += 1;
      }
    });
  }

  /** Books an order as it leaves the sandbox: candle, market, what to do, how much, why. */
  book([index, place, action, number]) {
    if (action === "buy") this.#buy(index, place, number);
    else if (action === "short") this.#short(index, place, number);
    else if (action === "reduce") this.#leaveAt(index, place, number, this.markets[place][index][OPEN]);
    else if (action === "exit") this.#leaveAt(index, place, Math.abs(this.positions[place].quantity), number);
    else this.#rest(index, place, number);
  }

  settle(index) {
    if (!this.positions.some((position) => position.quantity !== 0)) return;
    const worstOf = (position, place) => this.markets[place][index][position.quantity > 0 ? LOW : HIGH];
    let worst = this.cash;
    this.positions.forEach((position, place) => {
      worst += position.quantity * worstOf(position, place);
    });
    if (worst > 0) return;
    this.positions.forEach((position, place) => {
      if (position.quantity !== 0) {
        this.#enterFill(place, -position.quantity, worstOf(position, place), false);
      }
    });
    this.cash = 0;
    this.ruinedAt = index;
  }

  #buy(index, place, budget) {
    const price = this.markets[place][index][OPEN] * (1 + this.slippage);
    const spend = Math.min(budget, this.free(index) / (1 + this.taker));
    this.#enter(index, place, spend / price, price, false);
  }

  #short(index, place, budget) {
    if (!this.shortable[place]) return;
    const price = this.markets[place][index][OPEN] * (1 - this.slippage);
    const spend = Math.min(budget, this.free(index) / (1 + this.taker));
    this.#enter(index, place, -spend / price, price, false);
  }

  #leaveAt(index, place, quantity, level) {
    const isLong = this.positions[place].quantity > 0;
    const price = isLong ? level * (1 - this.slippage) : level * (1 + this.slippage);
    this.#leave(index, place, quantity, price, false);
  }

  #rest(index, place, quotes) {
    const row = this.markets[place][index];
    let sellable = Math.max(0, this.positions[place].quantity);
    for (const [side, price, amount] of quotes) {
      let quantity = amount / price;
      if (side === "buy" && (row[OPEN] < price || row[LOW] < price)) {
        this.#meet(index, place, quantity, Math.min(row[OPEN], price), 1);
      } else if (side === "sell" && (row[OPEN] > price || row[HIGH] > price)) {
        if (!this.shortable[place]) {
          quantity = Math.min(quantity, sellable);
          sellable -= quantity;
        }
        this.#meet(index, place, quantity, Math.max(row[OPEN], price), -1);
      }
    }
  }

  /** Fills a resting order of this sign: what is held against it goes first. */
  #meet(index, place, wanted, price, sign) {
    let quantity = wanted;
    const held = this.positions[place].quantity;
    if (held * sign < 0) {
      const given = Math.min(quantity, Math.abs(held));
      this.#leave(index, place, given, price, true);
      quantity -= given;
    }
    if (quantity > 0 && (sign > 0 || this.shortable[place])) {
      const least = Math.min(quantity, this.free(index) / (1 + this.maker) / price);
      this.#enter(index, place, sign > 0 ? least : -least, price, true);
    }
  }

  #enter(index, place, wanted, price, isMaker) {
    const most = this.#most(index, place);
    let quantity = wanted;
    if (Math.abs(quantity) > most) quantity = quantity > 0 ? most : -most;
    if (Math.abs(quantity) * price <= DUST) return;
    const position = this.positions[place];
    const time = this.markets[place][index][TIME];
    const day = Math.floor(time / DAY_MS);
    position.entries = day === position.day ? position.entries + 1 : 1;
    position.day = day;
    position.lastBuyTime = time;
    this.#enterFill(place, quantity, price, isMaker);
  }

  #leave(index, place, quantity, price, isMaker) {
    const held = this.positions[place].quantity;
    const given = Math.min(Math.min(quantity, Math.abs(held)), this.#most(index, place));
    if (given > 0) this.#enterFill(place, held > 0 ? -given : given, price, isMaker);
  }

  #most(index, place) {
    return this.volumeShare === 0 ? Infinity : this.volumeShare * this.markets[place][index][VOLUME];
  }

  #enterFill(place, quantity, price, isMaker) {
    const position = this.positions[place];
    const held = position.quantity;
    let after = held + quantity;
    if (Math.abs(after) <= Math.abs(held) * DUST) after = 0;
    if (held * quantity >= 0) {
      position.entryPrice = (held * position.entryPrice + quantity * price) / after;
    } else if (after === 0) {
      position.entryPrice = 0;
    }
    position.quantity = after;
    position.lastPrice = price;
    const fee = Math.abs(quantity) * price * (isMaker ? this.maker : this.taker);
    this.cash -= quantity * price + fee;
    this.version += 1;
  }
}
