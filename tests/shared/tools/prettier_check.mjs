// node prettier_check.mjs PATH...: the JavaScript files that prettier would lay out otherwise, one a line.
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import prettier from "prettier";

/** The file itself, or the JavaScript files below the folder. */
function filesOf(path) {
  if (statSync(path).isFile()) return [path];
  const names = readdirSync(path, { recursive: true });
  const isOurs = (name) => /\.c?js$/.test(name) && !name.includes("node_modules");
  return names.filter(isOurs).map((name) => join(path, name));
}

for (const path of process.argv.slice(2).flatMap(filesOf)) {
  const isLaidOut = await prettier.check(readFileSync(path, "utf8"), { filepath: path, printWidth: 110 });
  if (!isLaidOut) console.log(path);
}
