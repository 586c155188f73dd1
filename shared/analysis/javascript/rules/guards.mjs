// Whether a place in the code is reached only when live trading was asked for.
import { bare, called, definedName, isFunction, nameOf, snake, textOf } from "./names.mjs";
import { enclosing } from "./orders.mjs";
import { around, within } from "./syntax.mjs";

const LIVE =
  /(?:^|_)(?:live|armed|real_money)(?:_|$)|(?:enable|allow|execute)d?_(?:real_)?(?:trading|trades|orders)|trading_enabled|orders_enabled/i;
const NOT_LIVE =
  /(?:^|_)(?:dry|dry_?run|paper|simulat\w{0,8}|backtest\w{0,8}|replay|sandbox|testnet|demo|test_mode)(?:_|$)/i;
const LIVE_WORDS = new Set(["live", "real", "production", "prod"]);
const NOT_LIVE_WORDS = new Set("paper dry dry_run dry-run simulation backtest replay demo testnet".split(" "));
const YES = new Set(["true", "1", "yes", "on"]);
const NO = new Set(["false", "0", "no", "off"]);
const LEAVES = new Set(["ReturnStatement", "ThrowStatement", "ContinueStatement", "BreakStatement"]);
// More callers than a bot has; the rest of a hostile file is not worth the time.
const MOST_CALLERS = 200;

/** Answers for one bot; what it finds out about a function or class is kept. */
export class LiveGuards {
  #callers = new Map();
  #aliases = new Map();
  #guarded = new Map();

  constructor(files) {
    for (const file of files) {
      this.#aliases.set(file, liveNames(file));
      for (const node of file.nodes) this.#addCalls(file, node);
    }
  }

  /** Whether the call runs only in live trading: by a condition around or before it or its callers. */
  guards({ file, node }) {
    return this.#guardsHere(file, node) || enclosing(file, node).some((name) => this.#guardsAll(name));
  }

  /** Notes whom the node calls, makes or hands on: `f()`, `new F()`, `setInterval(f)`. */
  #addCalls(file, node) {
    if (node.type !== "CallExpression" && node.type !== "NewExpression") return;
    const handed = node.arguments.filter((a) => /^(?:Identifier|MemberExpression)$/.test(a.type));
    for (const name of new Set([nameOf(node.callee), ...handed.map(nameOf)])) {
      const calls = this.#callers.get(name) ?? [];
      if (calls.length < MOST_CALLERS) calls.push({ file, node });
      this.#callers.set(name, calls);
    }
  }

  /** Whether the function or class of that name is used, and only behind a guard. */
  #guardsAll(name) {
    if (!this.#guarded.has(name)) {
      // Recursion does not guard itself.
      this.#guarded.set(name, false);
      const calls = this.#callers.get(name) ?? [];
      const outside = calls.filter((call) => !enclosing(call.file, call.node).includes(name));
      this.#guarded.set(name, outside.length > 0 && outside.every((call) => this.guards(call)));
    }
    return this.#guarded.get(name);
  }

  #guardsHere(file, node) {
    const aliases = this.#aliases.get(file);
    let child = node;
    for (const outer of around(file, node)) {
      if (opens(outer, child, aliases) || stopsBefore(outer, child, aliases)) return true;
      if (isFunction(outer) && definedName(file, outer)) return false;
      child = outer;
    }
    return false;
  }
}

/** Names that were given a value which means live trading: `const armed = config.liveTrading && ready`. */
function liveNames(file) {
  const none = new Set();
  const given = (node) => [node.id ?? node.left, node.init ?? node.right];
  return new Set(
    file.nodes
      .filter((node) => node.type === "VariableDeclarator" || node.type === "AssignmentExpression")
      .map(given)
      .filter(([target, value]) => target.type === "Identifier" && value && implies(value, true, none))
      .map(([target]) => target.name),
  );
}

/** Whether the condition of the outer node lets only live trading through to the child. */
function opens(outer, child, aliases) {
  switch (outer.type) {
    case "IfStatement":
    case "ConditionalExpression":
      return child !== outer.test && implies(outer.test, child === outer.consequent, aliases);
    case "WhileStatement":
      return child === outer.body && implies(outer.test, true, aliases);
    case "LogicalExpression":
      return child === outer.right && outer.operator !== "??" && implies(outer.left, outer.operator === "&&", aliases);
    default:
      return false;
  }
}

/** Whether a statement before the child, in the same block, leaves unless trading is live. */
function stopsBefore(outer, child, aliases) {
  const block = outer.type === "SwitchCase" ? outer.consequent : outer.body;
  if (!Array.isArray(block) || !block.includes(child)) return false;
  return block.slice(0, block.indexOf(child)).some((statement) => leavesUnlessLive(statement, aliases));
}

function leavesUnlessLive(statement, aliases) {
  if (statement.type !== "IfStatement" || statement.alternate) return false;
  const { consequent } = statement;
  const last = consequent.type === "BlockStatement" ? consequent.body.at(-1) : consequent;
  const leaves = LEAVES.has(last?.type) || ["exit", "abort"].includes(called(last?.expression));
  return leaves && implies(statement.test, false, aliases);
}

/** Whether the test having this outcome means that trading is live. */
function implies(test, outcome, aliases) {
  const node = bare(test);
  if (node.type === "UnaryExpression" && node.operator === "!") return implies(node.argument, !outcome, aliases);
  if (node.type === "LogicalExpression" && node.operator !== "??") {
    const parts = [node.left, node.right].map((part) => implies(part, outcome, aliases));
    return (node.operator === "&&") === outcome ? parts.some(Boolean) : parts.every(Boolean);
  }
  if (node.type === "BinaryExpression" && /^[!=]==?$/.test(node.operator) && node.right.type === "Literal") {
    return impliesEqual(node, (node.operator[0] === "=") === outcome, aliases);
  }
  return [...words(node)].some((word) =>
    outcome ? LIVE.test(snake(word)) || aliases.has(word) : NOT_LIVE.test(snake(word)),
  );
}

/** Whether `left == right`, or its opposite, means that trading is live. */
function impliesEqual({ left, right }, isEqual, aliases) {
  if (right.value === null || typeof right.value === "boolean") {
    return implies(left, isEqual === Boolean(right.value), aliases);
  }
  const word = String(right.value).toLowerCase();
  if (YES.has(word) || NO.has(word)) return implies(left, isEqual === YES.has(word), aliases);
  return (isEqual ? LIVE_WORDS : NOT_LIVE_WORDS).has(word);
}

function* words(node) {
  for (const inner of within(node)) {
    if (inner.type === "Identifier" || inner.type === "MemberExpression") yield nameOf(inner);
    else if (textOf(inner) !== null) yield textOf(inner).slice(0, 80);
  }
}
