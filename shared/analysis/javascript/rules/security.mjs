// Ways out of the program that a trading bot does not need: shells, code from text, unchecked certificates.
import { bare, called, finding, nameOf, textOf } from "./names.mjs";

const SHELLS = new Set(["exec", "execSync"]);
const STARTERS = new Set(["spawn", "spawnSync", "execFile", "execFileSync", "fork"]);
const RUNS_TEXT = new Set(["runInThisContext", "runInNewContext", "runInContext", "compileFunction"]);

/** The security findings of one file. */
export function security(file) {
  const processes = namesFrom(file, "child_process");
  const contexts = namesFrom(file, "vm");
  return file.nodes.flatMap((node) => [
    ...(isOf(node, processes) ? started(file, node) : []),
    ...(isOf(node, contexts) ? ranText(file, node) : []),
    ...unchecked(file, node),
    ...loaded(file, node),
  ]);
}

/** The module, and the names by which it, or what is taken from it, goes in the file. */
function namesFrom(file, module) {
  const names = new Set();
  for (const node of file.nodes) {
    if (node.type === "ImportDeclaration" && isModule(node.source, module)) {
      for (const specifier of node.specifiers) names.add(specifier.local.name);
    }
    const taken = node.type === "VariableDeclarator" ? bare(node.init) : null;
    if (isRequired(taken, module)) {
      const targets = node.id.properties?.map((property) => property.value ?? property.argument) ?? [node.id];
      for (const target of targets) names.add(nameOf(target));
    }
  }
  return { module, names };
}

function isRequired(node, module) {
  return called(node) === "require" && isModule(node.arguments[0], module);
}

function isModule(node, module) {
  const name = textOf(node);
  return name === module || name === `node:${module}`;
}

/** Whether the node calls or makes something of the module: `exec()`, `cp.exec()`, `new vm.Script()`. */
function isOf(node, { module, names }) {
  if (node.type !== "CallExpression" && node.type !== "NewExpression") return false;
  const callee = bare(node.callee);
  if (callee.type !== "MemberExpression") return names.has(nameOf(callee));
  return names.has(nameOf(callee.object)) || isRequired(bare(callee.object), module);
}

function started(file, node) {
  const name = nameOf(node.callee);
  const hasShell = node.arguments.some((argument) => hasProperty(argument, "shell", true));
  if ((SHELLS.has(name) && textOf(node.arguments[0]) === null) || (STARTERS.has(name) && hasShell)) {
    return [
      finding(file, node, {
        category: "security",
        rule: "shell-command",
        severity: "critical",
        message: `${name} hands a computed command to a shell.`,
        advice: "Use execFile with a list of arguments and no shell.",
      }),
    ];
  }
  if (!SHELLS.has(name) && !STARTERS.has(name)) return [];
  return [
    finding(file, node, {
      category: "security",
      rule: "child-process",
      severity: "low",
      message: `${name} starts another program.`,
      advice: "A bot needs no other program: use a library, or fetch.",
    }),
  ];
}

function ranText(file, node) {
  const name = nameOf(node.callee);
  if (!RUNS_TEXT.has(name) && name !== "Script") return [];
  return [
    finding(file, node, {
      category: "security",
      rule: "vm-code",
      severity: "high",
      message: `${name} runs text as code; the module vm is no sandbox.`,
      advice: "Call the code you mean directly; never execute text.",
    }),
  ];
}

function unchecked(file, node) {
  const isOption = node.type === "ObjectExpression" && hasProperty(node, "rejectUnauthorized", false);
  const isSetting =
    node.type === "AssignmentExpression" &&
    nameOf(node.left) === "NODE_TLS_REJECT_UNAUTHORIZED" &&
    ["0", 0].includes(node.right.value);
  if (!isOption && !isSetting) return [];
  return [
    finding(file, node, {
      category: "security",
      rule: "tls-not-checked",
      severity: "high",
      message: "Turns off the check of certificates.",
      advice: "Leave certificate checks on: without them keys and orders can be read and changed.",
    }),
  ];
}

function loaded(file, node) {
  const source = node.type === "ImportExpression" ? node.source : null;
  const name = nameOf(node.callee) === "require" && node.type === "CallExpression" ? node.arguments[0] : source;
  if (!name || textOf(name) !== null) return [];
  return [
    finding(file, node, {
      category: "security",
      rule: "computed-import",
      severity: "medium",
      message: "Loads a module whose name is computed.",
      advice: "Import each module by its written name.",
    }),
  ];
}

function hasProperty(node, name, value) {
  const properties = node.type === "ObjectExpression" ? node.properties : [];
  return properties.some((p) => p.type === "Property" && nameOf(p.key) === name && p.value.value === value);
}
