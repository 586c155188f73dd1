/** The same past with another future; see variants.py. */

const FACTORS = { up: 3, down: -3 };

export function varied(markets, variant, end) {
  if (variant === "full") return markets;
  if (variant === "cut") return markets.map((rows) => rows.slice(0, end));
  return markets.map((rows) => [...rows.slice(0, end), ...scrambled(rows.slice(end), FACTORS[variant])]);
}

function scrambled(rows, factor) {
  const backwards = rows.toReversed();
  return rows.map((row, place) => {
    const other = backwards[place];
    return [row[0], ...other.slice(1, 5).map((cell) => times(cell, factor)), ...other.slice(5)];
  });
}

function times(cell, factor) {
  const value = factor > 0 ? Number(cell) * factor : Number(cell) / -factor;
  return String(Number(value.toPrecision(12)));
}

const DAY_MS = 86_400_000;
const [dates, clocks] = [new Map(), new Map()];

/** The time as a bot's file has it: days and times of day come again and again, and naming them costs time. */
function moment(time) {
  const [day, inDay] = [Math.floor(time / DAY_MS), ((time % DAY_MS) + DAY_MS) % DAY_MS];
  if (!dates.has(day)) dates.set(day, new Date(day * DAY_MS).toISOString().slice(0, 11));
  if (!clocks.has(inDay)) clocks.set(inDay, new Date(inDay).toISOString().slice(11, 19));
  return `${dates.get(day)}${clocks.get(inDay)}Z`;
}

export function csvText(symbols, markets, columns) {
  const withSymbol = columns.includes("symbol");
  const width = columns.includes("funding_rate") ? 7 : 6;
  const lines = [columns.join(",")];
  for (let index = 0; index < (markets[0]?.length ?? 0); index += 1) {
    const time = moment(markets[0][index][0]);
    markets.forEach((rows, place) => {
      const cells = rows[index].slice(1, width);
      lines.push([...(withSymbol ? [symbols[place]] : []), time, ...cells].join(","));
    });
  }
  return `${lines.join("\n")}\n`;
}
