// What expressions are called, and which names stand for series of prices.
const SERIES =
  /(?:^|_)(?:candles?|bars?|klines?|ohlcv|closes?|opens|highs?|lows?|prices?|volumes?|returns|ticks?|quotes|df|frame|history|series|rates)(?:_|$)/i;
const WRAPPERS = new Set(
  "TSAsExpression TSNonNullExpression TSSatisfiesExpression TSTypeAssertion ChainExpression".split(" "),
);
// Where the name of a function or class stands in the node around it, and where a node reads what it is given.
const NAMED_BY = {
  VariableDeclarator: "id",
  MethodDefinition: "key",
  TSAbstractMethodDefinition: "key",
  PropertyDefinition: "key",
  Property: "key",
  AssignmentExpression: "left",
};
const READ_AT = {
  VariableDeclarator: "init",
  PropertyDefinition: "value",
  AssignmentPattern: "right",
  AssignmentExpression: "right",
  MemberExpression: "object",
  Property: "value",
};
// Longer names are cut, so that no pattern has to search a name of 200 KB.
const MAX_NAME = 80;

/** The expression without the type assertions around it. */
export function bare(node) {
  let inner = node;
  while (inner && WRAPPERS.has(inner.type)) inner = inner.expression;
  return inner;
}

/** The last name of an expression (`a.b["c"]` gives `c`, `f(x)` gives `f`), empty when it has none. */
export function nameOf(node) {
  for (let inner = bare(node); inner; inner = bare(named(inner))) {
    const name = ownName(inner);
    if (name !== null) return name.slice(0, MAX_NAME);
  }
  return "";
}

/** The name in snake case, so that one pattern fits `maxPosition` and `max_position`. */
export function snake(name) {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").replaceAll("-", "_");
}

/** The name of the function that the node calls (`a.b(...)` gives `b`), empty when it is no such call. */
export function called(node) {
  if (node?.type !== "CallExpression") return "";
  const callee = bare(node.callee);
  return callee.type === "Identifier" || callee.type === "MemberExpression" ? nameOf(callee) : "";
}

/** The text of a string or of a template without expressions, null for anything else. */
export function textOf(node) {
  const inner = bare(node);
  if (inner?.type === "Literal" && typeof inner.value === "string") return inner.value;
  if (inner?.type === "TemplateLiteral" && inner.expressions.length === 0) return inner.quasis[0].value.cooked;
  return null;
}

/** Whether an expression is, by its name, a series over time: `closes`, `this.candles`, `data["close"]`. */
export function isSeries(node) {
  const inner = bare(node);
  if (inner.type === "MemberExpression" && inner.computed && textOf(inner.property) === null) return false;
  return (inner.type === "Identifier" || inner.type === "MemberExpression") && SERIES.test(snake(nameOf(inner)));
}

/** Whether the node is a function of any form. */
export function isFunction(node) {
  return /^(?:ArrowFunctionExpression|FunctionExpression|FunctionDeclaration|TSEmptyBodyFunctionExpression)$/.test(
    node?.type,
  );
}

/** The name that a function or class is called by, empty for an anonymous callback. */
export function definedName(file, node) {
  if (node.id) return nameOf(node.id);
  const parent = file.parents.get(node);
  const target = parent?.computed ? null : parent?.[NAMED_BY[parent.type]];
  return target && target !== node ? nameOf(target) : "";
}

/** Whether the node is a name or member that is read, not declared, assigned or used as a key. */
export function isRead(file, node) {
  if (node.type !== "Identifier" && node.type !== "MemberExpression") return false;
  const parent = file.parents.get(node);
  const place = READ_AT[parent.type];
  if (parent.type === "Property" && file.parents.get(parent).type === "ObjectPattern") return false;
  if (place) return parent[place] === node || readsAll(parent);
  return !isFunction(parent) || parent.body === node;
}

/** A finding at the place of the node. */
export function finding(file, node, { rule, severity, message, advice, category = "trading" }) {
  return { file: file.name, ...file.at(node), rule, severity, category, message, advice };
}

/** The key of `config.get("key")`. */
function gotten(call) {
  const callee = bare(call.callee);
  const isGet = callee.type === "MemberExpression" && !callee.computed && callee.property.name === "get";
  return isGet && textOf(call.arguments[0]) !== null ? call.arguments[0] : null;
}

/** Whether the node reads all its parts: `a += b`, `a[b]`. */
function readsAll(node) {
  if (node.type === "AssignmentExpression") return node.operator !== "=";
  return node.type === "MemberExpression" && node.computed;
}

/** The name that stands in the node itself, null when it is that of a node within. */
function ownName(node) {
  if (node.type === "Identifier" || node.type === "PrivateIdentifier") return node.name;
  if (node.type !== "MemberExpression") return textOf(node);
  return node.computed ? textOf(node.property) : node.property.name;
}

/** The node within that gives the node its name. */
function named(node) {
  if (node.type === "CallExpression") return gotten(node) ?? node.callee;
  return node.type === "MemberExpression" ? node.object : (node.type === "AwaitExpression" && node.argument) || null;
}
