// Decides what strategies in Node.js decide: one line of JSON a case on standard input, one line of answers each.
// A case is {folder, config, markets: {symbol: rows}, holdings: [{symbol: holding}], ends: [count]}; rows are
// [time, open, high, low, close, volume, rate] with texts. The answer holds one object by symbol an end and holding.
import { createInterface } from "node:readline";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const load = (folder, name) => import(pathToFileURL(join(folder, name)));
const mapped = (values, work) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, work(value)]));

for await (const line of createInterface({ input: process.stdin })) {
  const { folder, config, markets, holdings, ends } = JSON.parse(line);
  const strategy = await load(folder, "strategy.js");
  const { Decimal } = await load(folder, "money.js");
  const { Parameters } = await load(folder, "parameters.js");
  const parameters = Parameters.fromConfig(config);
  const candles = mapped(markets, (rows) => rows.map((row) => strategy.candle(...row)));
  const held = holdings.map((one) =>
    mapped(one, ([quantity, entryPrice, lastPrice, lastBuyTime]) => ({
      quantity: new Decimal(quantity),
      entryPrice: new Decimal(entryPrice),
      lastPrice: new Decimal(lastPrice),
      lastBuyTime,
    })),
  );
  const answers = ends.flatMap((end) =>
    held.map((holding) => {
      const seen = mapped(candles, (all) => all.slice(0, end));
      if (strategy.decideAll) return strategy.decideAll(seen, parameters, holding);
      const [symbol] = Object.keys(seen);
      return { [symbol]: strategy.decide(seen[symbol], parameters, holding[symbol]) };
    }),
  );
  console.log(JSON.stringify({ needed: strategy.candlesNeeded(parameters), answers }));
}
