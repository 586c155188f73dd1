// What must hold where a bot places orders: a live switch, a limit, and errors that are not dropped.
import { called, finding, isFunction, isRead, nameOf, snake } from "./names.mjs";
import { LiveGuards } from "./guards.mjs";
import { orderCalls } from "./orders.mjs";
import { around, within } from "./syntax.mjs";

const SIZE =
  "(?:position|size|exposure|notional|order|qty|quantity|amount|inventory|trades?|leverage|capital|risk)";
const LIMIT = "(?:max|maximum|limit|cap|capped|allowed)";
const LIMITED = new RegExp(
  `(?:^|_)${LIMIT}_(?:\\w{1,30}_)?${SIZE}(?:s|_|$)|(?:^|_)${SIZE}_(?:\\w{1,30}_)?${LIMIT}(?:s|ed|_|$)` +
    "|(?:^|_)(?:risk|position|order|trade|stake)_(?:size|(?:size_)?(?:per_trade|pct|percent|percentage|fraction))(?:_|$)" +
    "|(?:^|_)(?:position_siz(?:ing|er)|size_position|risk_manager|risk_limits?|risk_per_trade)(?:_|$)",
  "i",
);
const POSITION = /(?:^|_)(?:positions?|inventory|holdings?|in_market|exposure)(?:_|$)/i;
const ACTS = /^(?:CallExpression|NewExpression|AssignmentExpression|UpdateExpression|ThrowStatement|VariableDeclaration)$/;

/** A finding for each order that is placed whether live trading was asked for or not. */
export function liveGuard(files) {
  const live = new LiveGuards(files);
  return orderCalls(files)
    .filter((call) => !live.guards(call))
    .map(({ file, node }) =>
      finding(file, node, {
        rule: "no-live-guard",
        severity: "medium",
        message: `${called(node)} is reached without a check that live trading was asked for.`,
        advice: "Place orders only if config.live_trading is true, and log the intent otherwise.",
      }),
    );
}

/** One finding, at the first order, when no file of the bot reads a limit of position, size or risk. */
export function positionLimit(files) {
  const [first] = orderCalls(files);
  if (!first || files.some((file) => file.nodes.some((node) => limits(file, node)))) return [];
  return [
    finding(first.file, first.node, {
      rule: "no-position-limit",
      severity: "medium",
      message: `${called(first.node)} is called, and nothing limits the position's size.`,
      advice: "Check the size against a limit such as maxPosition before each order.",
    }),
  ];
}

/** A finding for each handler around an order that catches everything and does nothing about it. */
export function swallowedError(files) {
  const handlers = new Map();
  for (const { file, node } of orderCalls(files)) {
    for (const handler of handlersOf(file, node)) {
      if (swallows(handler)) handlers.set(handler, file);
    }
  }
  return [...handlers].map(([handler, file]) =>
    finding(file, handler, {
      rule: "swallowed-order-error",
      severity: "high",
      message: "An error while placing an order is caught and dropped.",
      advice: "Log the exchange's error, and read the open orders again before going on.",
    }),
  );
}

/** The catch clauses of the `try` blocks and the callbacks of `.catch(...)` around the order. */
function* handlersOf(file, node) {
  let child = node;
  for (const outer of around(file, node)) {
    if (outer.type === "TryStatement" && outer.block === child && outer.handler) yield outer.handler;
    const handler = outer.type === "CallExpression" && called(outer) === "catch" ? outer.arguments[0] : null;
    if (isFunction(handler) && child === outer.callee) yield handler;
    child = outer;
  }
}

/** Whether the handler neither acts nor looks at the error. */
function swallows(handler) {
  const error = nameOf(handler.param ?? handler.params?.[0]);
  return ![...within(handler.body)].some(
    (node) => ACTS.test(node.type) || (error && node.type === "Identifier" && node.name === error),
  );
}

/** Whether the node reads a limit or a size per trade, or asks what is held; storing limits nothing. */
function limits(file, node) {
  if (node.type === "IfStatement" || node.type === "ConditionalExpression") {
    return [...within(node.test)].some((inner) => reads(file, inner, POSITION));
  }
  return reads(file, node, LIMITED);
}

function reads(file, node, pattern) {
  return (node.type === "CallExpression" || isRead(file, node)) && pattern.test(snake(nameOf(node)));
}
