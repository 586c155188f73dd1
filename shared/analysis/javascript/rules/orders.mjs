// Where a bot places orders, and which functions are around that.
import { bare, called, definedName, isFunction, nameOf, snake } from "./names.mjs";
import { around } from "./syntax.mjs";

const ORDER =
  /^(?:create|place|submit|send|new|post|futures_create|futures)_(?:\w+_)?orders?(?:_ws)?$|^order_(?:market|limit)(?:_buy|_sell)?$|^(?:market|limit)_(?:buy|sell|order)$|^edit_order$|^market_open$/i;
const NO_ORDER = /test_order|order_?book|order_?id|paper|simulat|fake|dry|report|event|summary/i;
// More places than a bot has; what a hostile file has beyond them changes no verdict.
const MOST_CALLS = 200;

/** The calls `{file, node}` that reach an exchange.
 *
 * A call of a function that the bot defines itself is left out, for the call inside that function counts.
 */
export function orderCalls(files) {
  const own = new Set(files.flatMap((file) => ownFunctions(file)));
  const found = [];
  for (const file of files) {
    for (const node of file.nodes) {
      if (places(node) && !isOwn(file, node, own)) found.push({ file, node });
    }
  }
  return found.slice(0, MOST_CALLS);
}

/** The names of the functions and classes around the node, from the inside out; callbacks have none. */
export function enclosing(file, node) {
  const names = [];
  for (const outer of around(file, node)) {
    const isDefinition = isFunction(outer) || /^Class(?:Declaration|Expression)$/.test(outer.type);
    const name = isDefinition ? definedName(file, outer) : "";
    if (name) names.push(name);
  }
  return names;
}

function places(node) {
  const name = snake(called(node));
  if (!name || node.arguments.length === 0 || NO_ORDER.test(name)) return false;
  return ORDER.test(name) || (name === "order" && hasSide(node.arguments[0]));
}

/** Whether an argument is an order's fields, as `client.order({symbol, side, ...})` of some libraries. */
function hasSide(argument) {
  const keys = bare(argument).properties?.map((property) => nameOf(property.key)) ?? [];
  return keys.includes("symbol") && keys.includes("side");
}

function ownFunctions(file) {
  return file.nodes.filter((node) => isFunction(node) && !isDeclaration(node)).map((node) => definedName(file, node));
}

/** Whether a function only declares a name: abstract, empty, or throwing. */
function isDeclaration(node) {
  if (!node.body) return true;
  return node.body.type === "BlockStatement" && node.body.body.every((inner) => inner.type === "ThrowStatement");
}

function isOwn(file, node, own) {
  const name = called(node);
  return own.has(name) && !enclosing(file, node).includes(name);
}
