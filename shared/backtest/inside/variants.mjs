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

export function csvText(symbols, markets, columns) {
  const withSymbol = columns.includes("symbol");
  const width = columns.includes("funding_rate") ? 7 : 6;
  const lines = [columns.join(",")];
  for (let index = 0; index < (markets[0]?.length ?? 0); index += 1) {
    markets.forEach((rows, place) => {
      const [time, ...cells] = rows[index].slice(0, width);
      const moment = `${new Date(time).toISOString().slice(0, 19)}Z`;
      lines.push([...(withSymbol ? [symbols[place]] : []), moment, ...cells].join(","));
    });
  }
  return `${lines.join("\n")}\n`;
}
