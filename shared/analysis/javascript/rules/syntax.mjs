// Text to a syntax tree that is safe to walk: every node in reading order, with the node around it.
import { parseSync, visitorKeys } from "oxc-parser";

export const MAX_DEPTH = 200;

// Types say nothing of what runs, and may be nested without end.
const TYPE_KEYS = new Set(
  "typeAnnotation typeParameters typeArguments returnType superTypeArguments implements".split(" "),
);
const TYPE_NODES = new Set(["TSInterfaceDeclaration", "TSTypeAliasDeclaration", "TSDeclareFunction"]);

/** The file with its nodes, or `{error}` with the place of the first syntax error, or `{unchecked}`. */
export function parse({ name, text, isTest }) {
  const { result, sourceType } = parsed(name, text);
  const starts = lineStarts(text);
  const [problem] = result.errors.filter((error) => error.severity === "Error");
  if (problem) {
    return { error: { message: problem.message, ...place(starts, problem.labels[0]?.start ?? 0) } };
  }
  const file = { name, text, isTest, sourceType, comments: result.comments, nodes: [], parents: new Map() };
  file.at = (node) => place(starts, node.start);
  return collect(file, result.program) ? file : { unchecked: `the code is nested over ${MAX_DEPTH} levels deep` };
}

/** The nodes directly below a node, types left out. */
export function children(node) {
  const found = [];
  for (const key of visitorKeys[node.type] ?? []) {
    if (TYPE_KEYS.has(key)) continue;
    const value = node[key];
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child && !TYPE_NODES.has(child.type)) found.push(child);
    }
  }
  return found;
}

/** The node and all nodes below it. */
export function* within(node) {
  const waiting = [node];
  while (waiting.length > 0) {
    const next = waiting.pop();
    yield next;
    waiting.push(...children(next));
  }
}

/** The nodes around a node, from the inside out. */
export function* around(file, node) {
  for (let next = file.parents.get(node); next; next = file.parents.get(next)) yield next;
}

/** A `.js` or `.ts` file is a module or, where that fails, a CommonJS script; other endings say which. */
function parsed(name, text) {
  const ending = name.toLowerCase().match(/\.([mc]?)([jt])s$/);
  const lang = ending[2] === "t" ? "ts" : "jsx";
  const read = (sourceType) => {
    const options = { lang, sourceType, preserveParens: false, showSemanticErrors: true };
    return { sourceType, result: parseSync(name, text, options) };
  };
  if (ending[1] === "c") return read("commonjs");
  const first = read("module");
  if (ending[1] === "m" || first.result.errors.length === 0 || first.result.module.hasModuleSyntax) return first;
  return read("commonjs");
}

function collect(file, program) {
  let level = [program];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) return false;
    const below = [];
    for (const node of level) {
      file.nodes.push(node);
      for (const child of children(node)) {
        file.parents.set(child, node);
        below.push(child);
      }
    }
    level = below;
  }
  file.nodes.sort((one, other) => one.start - other.start);
  return true;
}

function lineStarts(text) {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** The line and column, from 1, of an offset. */
function place(starts, offset) {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (starts[middle] <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - starts[low] + 1 };
}
