// Equality of prices held as numbers: two computed prices are hardly ever equal.
import { bare, finding, nameOf, snake, textOf } from "./names.mjs";

const PRICE =
  /(?:^|_)(?:price|close|bid|ask|vwap|high|low|sma|ema|rsi|macd|stop_loss|take_profit|midpoint)$/i;
const DECIMAL = /decimal|bignumber|(?:^|\/)big(?:\.js)?$/i;
const EQUALITY = new Set(["==", "===", "!=", "!=="]);

/** A finding for each equality of two prices, or of a price and a fraction; decimal libraries are exact. */
export function floatEquality(files) {
  return files
    .filter((file) => !usesDecimal(file))
    .flatMap((file) =>
      file.nodes
        .filter((node) => node.type === "BinaryExpression" && EQUALITY.has(node.operator) && isFragile(node))
        .map((node) =>
          finding(file, node, {
            rule: "float-equality",
            severity: "low",
            message: "Compares prices for equality as floats.",
            advice: "Compare with a tolerance, Math.abs(a - b) < tick / 2, or use a decimal library.",
          }),
        ),
    );
}

function usesDecimal(file) {
  return file.nodes.some((node) => {
    if (node.type === "ImportDeclaration") return DECIMAL.test(node.source.value);
    return node.type === "CallExpression" && nameOf(node) === "require" && DECIMAL.test(textOf(node.arguments[0]) ?? "");
  });
}

function isFragile({ left, right }) {
  const prices = [left, right].filter(isPrice).length;
  return prices === 2 || (prices === 1 && [left, right].some(isFraction));
}

function isPrice(node) {
  const inner = bare(node);
  if (inner.type === "BinaryExpression") return isPrice(inner.left) || isPrice(inner.right);
  return (inner.type === "Identifier" || inner.type === "MemberExpression") && PRICE.test(snake(nameOf(inner)));
}

function isFraction(node) {
  return node.type === "Literal" && typeof node.value === "number" && !Number.isInteger(node.value);
}
