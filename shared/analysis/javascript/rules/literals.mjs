// Texts written into the code under a name; whether one is a credential is judged by our caller.
import { bare, nameOf, textOf } from "./names.mjs";

const SHORTEST = 8;
const LONGEST = 4096;
const MOST = 2000;

/** `{name, value, line, column}` of each text that is bound to a name. */
export function literals(file) {
  const found = [];
  for (const node of file.nodes) {
    const [target, value] = bound(node);
    const text = value ? textOf(value) : null;
    if (text === null || text.length < SHORTEST || text.length > LONGEST || found.length === MOST) continue;
    found.push({ name: nameOf(target), value: text, ...file.at(value) });
  }
  return found;
}

/** The name and the expression that the node binds together. */
function bound(node) {
  switch (node.type) {
    case "VariableDeclarator":
      return [node.id, node.init];
    case "AssignmentExpression":
    case "AssignmentPattern":
      return [node.left, node.right];
    case "Property":
    case "PropertyDefinition":
      return [node.key, node.value];
    case "LogicalExpression":
      return node.operator === "&&" ? [] : [bare(node.left), node.right];
    default:
      return [];
  }
}
