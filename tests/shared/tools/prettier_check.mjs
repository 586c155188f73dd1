// node prettier_check.mjs FOLDER...: the JavaScript files that prettier would lay out otherwise, one a line.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import prettier from "prettier";

for (const folder of process.argv.slice(2)) {
  for (const name of readdirSync(folder, { recursive: true })) {
    if (!/\.c?js$/.test(name) || name.includes("node_modules")) continue;
    const text = readFileSync(join(folder, name), "utf8");
    const isLaidOut = await prettier.check(text, { filepath: name, printWidth: 110 });
    if (!isLaidOut) console.log(join(folder, name));
  }
}
