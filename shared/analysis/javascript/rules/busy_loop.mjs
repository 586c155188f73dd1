// A loop without end that never waits: it blocks the event loop, so that not even a stop signal is heard.
import { called, finding, isFunction } from "./names.mjs";
import { children } from "./syntax.mjs";

const LOOPS = new Set(["WhileStatement", "DoWhileStatement", "ForStatement", "ForInStatement", "ForOfStatement"]);
const ENDS = new Set(["AwaitExpression", "ReturnStatement", "ThrowStatement", "YieldExpression", "BreakStatement"]);
const WAITS = /sleep|wait|pause|delay|execSync|spawnSync|execFileSync|readSync|^exit$|^abort$/i;

/** A finding for each `while (true)` with no wait, await, break, return, throw or yield of its own. */
export function busyLoop(files) {
  return files.flatMap((file) =>
    file.nodes
      .filter((node) => isEndless(node) && !own(node).some(pauses))
      .map((node) =>
        finding(file, node, {
          rule: "busy-loop",
          severity: "high",
          message: "An endless loop that neither waits nor ends.",
          advice: "Await a pause between rounds and end on a stop signal, or let the platform schedule it.",
        }),
      ),
  );
}

function isEndless(node) {
  if (node.type === "ForStatement") return !node.test || Boolean(node.test.value);
  return /^(?:Do)?WhileStatement$/.test(node.type) && node.test.type === "Literal" && Boolean(node.test.value);
}

/** The nodes that run as part of the loop; an unlabelled break of an inner loop is not its own. */
function own(loop) {
  const found = [];
  const waiting = [[loop.body, false]];
  while (waiting.length > 0) {
    const [node, isInside] = waiting.pop();
    if (isFunction(node) || node.type.startsWith("Class")) continue;
    if (!(isInside && node.type === "BreakStatement" && !node.label)) found.push(node);
    const isInner = isInside || LOOPS.has(node.type) || node.type === "SwitchStatement";
    waiting.push(...children(node).map((child) => [child, isInner]));
  }
  return found;
}

function pauses(node) {
  return ENDS.has(node.type) || (node.type === "ForOfStatement" && node.await) || WAITS.test(called(node));
}
