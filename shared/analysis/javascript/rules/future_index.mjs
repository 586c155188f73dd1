// Look-ahead by index: `candles[i + 1]` in a loop over `i` that decides or records something.
// Differences of neighbours (`closes[i + 1] - closes[i]`), fills at the next open and stores are no look-ahead.
import { bare, called, finding, isFunction, isRead, isSeries, nameOf, snake, textOf } from "./names.mjs";
import { around, within } from "./syntax.mjs";

const DECISION =
  /(?:^|_)(?:buy|sell|signals?|orders?|positions?|entry|entries|exit|long|short|trades?)(?:_|$)/i;
const FILL = new Set(["open", "opens", "Open", "time", "times", "timestamp", "timestamps"]);
const PLACE_OF_INDEX = { forEach: 1, map: 1, filter: 1, some: 1, every: 1, find: 1, findIndex: 1, flatMap: 1, reduce: 2 };

/** A finding for each read of a series at the loop's index plus a positive number. */
export function futureIndex(files) {
  return files.flatMap((file) => {
    const search = new Search(file);
    return file.nodes
      .filter((node) => search.isAhead(node))
      .map((node) =>
        finding(file, node, {
          rule: "look-ahead-index",
          severity: "high",
          message: "Reads a later element of the series than the one the loop is at.",
          advice: "Decide on elements up to the loop's own; use the next one only to fill an order.",
        }),
      );
  });
}

/** Looks at the members of one file; what its loops decide and its names are used for is read once. */
class Search {
  #file;
  #decides = new Map();
  #uses = new Map();

  constructor(file) {
    this.#file = file;
    for (const node of file.nodes) {
      if (node.type !== "Identifier" || !isRead(file, node)) continue;
      const uses = this.#uses.get(node.name) ?? [];
      uses.push(node);
      this.#uses.set(node.name, uses);
    }
  }

  /** Whether the node reads a later element than its loop is at, and not to fill an order. */
  isAhead(node) {
    if (node.type !== "MemberExpression" || !node.computed || !isSeries(node.object)) return false;
    const index = advanced(node.property);
    if (!index || !isRead(this.#file, node)) return false;
    const loop = this.#loopOver(node, index);
    if (!loop || this.#isFill(node)) return false;
    return !(this.#isDifference(node, index) && !this.#isDeciding(loop));
  }

  /** The loop or callback around the node whose own variable is the index. */
  #loopOver(node, index) {
    for (const outer of around(this.#file, node)) {
      if (counter(this.#file, outer) === index) return outer;
      if (outer.type === "FunctionDeclaration" || outer.type === "MethodDefinition") return null;
    }
    return null;
  }

  /** Whether only the open or the time of the next candle is used, as to fill an order. */
  #isFill(node) {
    const parent = this.#file.parents.get(node);
    if (parent?.type === "VariableDeclarator") return this.#fills(parent.id);
    return takesOpen(parent) || [...within(node.object)].some((inner) => FILL.has(nameOf(inner)));
  }

  #fills(target) {
    if (target.type === "ObjectPattern") {
      return target.properties.every((p) => p.type === "Property" && FILL.has(nameOf(p.key)));
    }
    const uses = this.#uses.get(target.name) ?? [];
    return uses.length > 0 && uses.every((use) => takesOpen(this.#file.parents.get(use)));
  }

  /** Whether the node is one side of arithmetic on neighbours: `closes[i + 1] - closes[i]`. */
  #isDifference(node, index) {
    let parent = this.#file.parents.get(node);
    while (parent?.type === "MemberExpression" || (parent?.type === "CallExpression" && parent.arguments.length === 1)) {
      parent = this.#file.parents.get(parent);
    }
    if (parent?.type !== "BinaryExpression" || !"-/".includes(parent.operator)) return false;
    return [...within(parent)].some(
      (inner) => inner.type === "MemberExpression" && inner.computed && inner.property.name === index,
    );
  }

  #isDeciding(loop) {
    if (!this.#decides.has(loop)) {
      const decides = [...within(loop.body)].some((node) => DECISION.test(snake(nameOf(node))));
      this.#decides.set(loop, decides);
    }
    return this.#decides.get(loop);
  }
}

/** `i` of `i + 1`, empty for anything else. */
function advanced(index) {
  const sum = bare(index);
  if (sum.type !== "BinaryExpression" || sum.operator !== "+") return "";
  const [left, right] = [bare(sum.left), bare(sum.right)];
  if (left.type === "Identifier" && right.value > 0) return left.name;
  return right.type === "Identifier" && left.value > 0 ? right.name : "";
}

/** The variable that counts the steps of a `for`, of `entries()` or of a callback, empty for other nodes. */
function counter(file, node) {
  if (node.type === "ForStatement" && node.update) return nameOf(node.update.argument || node.update.left);
  if (node.type === "ForOfStatement") return entryCounter(node);
  const method = isFunction(node) ? called(file.parents.get(node)) : "";
  return Object.hasOwn(PLACE_OF_INDEX, method) ? nameOf(node.params[PLACE_OF_INDEX[method]]) : "";
}

/** `i` of `for (const [i, candle] of candles.entries())`. */
function entryCounter(loop) {
  const declared = called(bare(loop.right)) === "entries" && loop.left.declarations;
  const pattern = declared ? declared[0].id : null;
  return pattern && pattern.type === "ArrayPattern" ? nameOf(pattern.elements[0]) : "";
}

/** Whether the node takes the open or the time of a candle; ccxt's are lists of time, open, high, low, close. */
function takesOpen(node) {
  if (node?.type !== "MemberExpression") return false;
  if (!node.computed || textOf(node.property) !== null) return FILL.has(nameOf(node));
  return node.property.value === 0 || node.property.value === 1;
}
