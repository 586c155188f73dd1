// Size and complexity, counted as oxlint's rule `complexity` counts: a function has 1, and 1 more for each branch,
// loop, case but the default, catch, default value, `&&`, `||`, `??` and `?.` in it.
import { definedName, isFunction } from "./names.mjs";
import { children } from "./syntax.mjs";

const DECISIONS = new Set(
  (
    "IfStatement ConditionalExpression ForStatement ForInStatement ForOfStatement WhileStatement " +
    "DoWhileStatement LogicalExpression CatchClause AssignmentPattern"
  ).split(" "),
);
const OPERATIONS = new Set(
  "BinaryExpression LogicalExpression AssignmentExpression UnaryExpression UpdateExpression".split(" "),
);

/** The file's functions with their complexity, its statements, comment lines and Halstead volume. */
export function measure(file) {
  const functions = file.nodes
    .filter((node) => isFunction(node) && node.body)
    .map((node) => ({ name: definedName(file, node) || "A callback", complexity: complexity(node), ...file.at(node) }));
  return {
    functions,
    statements: file.nodes.filter((node) => /(?:Statement|Declaration)$/.test(node.type)).length,
    commentLines: file.comments.reduce((sum, { value }) => sum + value.split("\n").length, 0),
    volume: volume(file),
  };
}

function complexity(node) {
  let found = 1;
  const waiting = children(node);
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (isFunction(next)) continue;
    if (decides(next)) found += 1;
    waiting.push(...children(next));
  }
  return found;
}

function decides(node) {
  if (node.type === "SwitchCase") return Boolean(node.test);
  return DECISIONS.has(node.type) || node.optional || ["&&=", "||=", "??="].includes(node.operator);
}

/** Halstead's volume: (operators + operands) * log2(distinct operators + distinct operands). */
function volume(file) {
  const operators = new Set();
  const operands = new Set();
  let length = 0;
  for (const node of file.nodes) {
    if (!OPERATIONS.has(node.type)) continue;
    operators.add(`${node.type} ${node.operator}`);
    const sides = [node.left, node.right, node.argument].filter(Boolean);
    for (const side of sides) operands.add(file.text.slice(side.start, Math.min(side.end, side.start + 80)));
    length += 1 + sides.length;
  }
  const vocabulary = operators.size + operands.size;
  return vocabulary > 0 ? length * Math.log2(vocabulary) : 0;
}
