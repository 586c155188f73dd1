"""JavaScript and TypeScript with a fault of each rule of ours, and the faults' clean twins."""

from __future__ import annotations

from tests.shared.analysis.trading_cases import Case

_ORDER = 'await exchange.createOrder("BTC/USDT", "market", "buy", maxPosition)'
_LOOP = "for (let i = 0; i < closes.length - 1; i++)"

LOOPS = (
    Case("index", "look-ahead-index", 2, f"{_LOOP} {{\n  if (closes[i + 1] > closes[i]) wins.push(i);\n}}\n"),
    Case("index-member", "look-ahead-index", 2, f"{_LOOP} {{\n  f(this.candles[1 + i].close);\n}}\n"),
    Case("index-for-each", "look-ahead-index", 1, "candles.forEach((c, i) => f(candles[i + 1].close));\n"),
    Case(
        "index-entries",
        "look-ahead-index",
        2,
        "for (const [i, c] of candles.entries())\n  f(candles[i + 2]);\n",
    ),
    Case(
        "index-reduce",
        "look-ahead-index",
        1,
        "x = closes.reduce((sum, c, i) => sum + f(closes[i + 1]), 0);\n",
    ),
    Case(
        "index-asserted",
        "look-ahead-index",
        2,
        f"{_LOOP}\n  f((candles as Bar[])[i + 1]!.close as number);\n",
    ),
    Case(
        "index-signal-difference",
        "look-ahead-index",
        2,
        f"{_LOOP} {{\n  if (closes[i + 1] - closes[i] > 0) buySignal = i;\n}}\n",
    ),
    Case(
        "index-back",
        "look-ahead-index",
        0,
        f"{_LOOP} {{\n  if (closes[i - 1] > closes[i]) wins.push(i);\n}}\n",
    ),
    Case("index-difference", "look-ahead-index", 0, f"{_LOOP}\n  moves.push(closes[i + 1] / closes[i]);\n"),
    Case(
        "index-open",
        "look-ahead-index",
        0,
        f"{_LOOP} {{\n  const next = candles[i + 1];\n  f(next.open);\n}}\n",
    ),
    Case(
        "index-fields",
        "look-ahead-index",
        0,
        f"{_LOOP} {{\n  const {{ open }} = candles[i + 1];\n  f(open);\n}}\n",
    ),
    Case("index-store", "look-ahead-index", 0, f"{_LOOP}\n  closes[i + 1] = 0;\n"),
    Case("index-other", "look-ahead-index", 0, f"{_LOOP}\n  f(names[i + 1], closes[j + 1]);\n"),
    Case("busy", "busy-loop", 1, "while (true) {\n  check();\n}\n"),
    Case("busy-for", "busy-loop", 1, "for (;;) {\n  for (const x of xs) break;\n}\n"),
    Case("busy-do", "busy-loop", 1, "do {\n  later(async () => await x);\n} while (true);\n"),
    Case("busy-await", "busy-loop", 0, "while (true) {\n  await sleep(1000);\n}\n"),
    Case("busy-break", "busy-loop", 0, "while (true) {\n  if (done()) break;\n}\n"),
    Case("busy-yield", "busy-loop", 0, "function* f() {\n  while (true) yield 1;\n}\n"),
    Case("busy-label", "busy-loop", 0, "out: while (true) {\n  for (const x of xs) break out;\n}\n"),
    Case("busy-condition", "busy-loop", 0, "while (running) {\n  check();\n}\n"),
    Case("equal", "float-equality", 1, "if (price === entryPrice) f();\n"),
    Case("equal-fraction", "float-equality", 1, "if (candle.close != 1.5) f();\n"),
    Case("equal-tolerance", "float-equality", 0, "if (Math.abs(price - entryPrice) < 0.01) f();\n"),
    Case("equal-zero", "float-equality", 0, "if (price === 0 || side === 'buy') f();\n"),
    Case(
        "equal-decimal",
        "float-equality",
        0,
        'import Decimal from "decimal.js";\nif (price === entryPrice) f();\n',
    ),
)

_GUARDED = f"if (!config.live_trading) throw new Error('dry');\n{_ORDER};\n"
ORDERS = (
    Case(
        "limit", "no-position-limit", 2, 'if (config.liveTrading)\n  exchange.createOrder("BTC", amount);\n'
    ),
    Case(
        "limit-type",
        "no-position-limit",
        2,
        "interface A { maxPosition: number }\nif (live) place_order(amount);\n",
    ),
    Case("limit-stored", "no-position-limit", 2, "const maxPosition = 1;\nif (live) submitOrder(amount);\n"),
    Case("limit-fields", "no-position-limit", 1, "if (live) client.order({ symbol, side, quantity });\n"),
    Case("limit-read", "no-position-limit", 0, f"if (config.liveTrading) {_ORDER};\n"),
    Case("limit-held", "no-position-limit", 0, "if (live && !position) submitOrder(amount);\n"),
    Case("guard", "no-live-guard", 1, f"{_ORDER};\n"),
    Case("guard-wrong-way", "no-live-guard", 1, f"if (!config.live_trading) {_ORDER};\n"),
    Case(
        "guard-method",
        "no-live-guard",
        3,
        f"class Bot {{\n  async buy(maxPosition: number) {{\n    {_ORDER};\n  }}\n}}\n",
    ),
    Case(
        "guard-one-caller",
        "no-live-guard",
        2,
        f"const place = async () => {{\n  {_ORDER};\n}};\nif (live) place();\nsetInterval(place, 1000);\n",
    ),
    Case("guard-leaves", "no-live-guard", 0, _GUARDED),
    Case("guard-and", "no-live-guard", 0, f'process.env.MODE === "live" && ({_ORDER});\n'),
    Case(
        "guard-alias",
        "no-live-guard",
        0,
        f"const armed2 = config.live_trading && ok;\nif (armed2) {_ORDER};\n",
    ),
    Case("guard-dry", "no-live-guard", 0, f"if (dryRun) {{\n  log();\n}} else {{\n  {_ORDER};\n}}\n"),
    Case("guard-test", "no-live-guard", 0, "exchange.createTestOrder(amount);\nfetchOrderBook(symbol);\n"),
    Case(
        "guard-callers",
        "no-live-guard",
        0,
        f"async function place() {{\n  {_ORDER};\n}}\nif (config.get('live_trading')) await place();\n",
    ),
    Case("swallow", "swallowed-order-error", 3, f"if (live) try {{\n  {_ORDER};\n}} catch {{}}\n"),
    Case("swallow-named", "swallowed-order-error", 3, f"if (live) try {{\n  {_ORDER};\n}} catch (e) {{ }}\n"),
    Case(
        "swallow-promise", "swallowed-order-error", 1, "if (live) submitOrder(maxOrder).catch(() => null);\n"
    ),
    Case(
        "swallow-logged",
        "swallowed-order-error",
        0,
        f"if (live) try {{\n  {_ORDER};\n}} catch (e) {{ log(e); }}\n",
    ),
    Case(
        "swallow-raised",
        "swallowed-order-error",
        0,
        f"if (live) try {{\n  {_ORDER};\n}} catch (e) {{ throw e; }}\n",
    ),
    Case("swallow-other", "swallowed-order-error", 0, "try {\n  parse(x);\n} catch {}\n"),
)

_CP = 'import { exec, spawn, execFile } from "node:child_process";\n'
SECURITY = (
    Case("shell", "shell-command", 2, f"{_CP}exec(`ls ${{name}}`);\n"),
    Case("shell-option", "shell-command", 2, f"{_CP}spawn(name, [], {{ shell: true }});\n"),
    Case("shell-required", "shell-command", 1, 'require("child_process").execSync(name);\n'),
    Case("program", "child-process", 2, f'{_CP}execFile("ls", [name]);\n'),
    Case("pattern", "shell-command", 0, "const found = /a(b)/.exec(name);\n"),
    Case("vm", "vm-code", 2, 'import vm from "vm";\nvm.runInNewContext(name);\n'),
    Case("tls", "tls-not-checked", 1, "new Agent({ rejectUnauthorized: false });\n"),
    Case("tls-setting", "tls-not-checked", 1, 'process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";\n'),
    Case("tls-on", "tls-not-checked", 0, "new Agent({ rejectUnauthorized: true });\n"),
    Case("computed", "computed-import", 1, "const m = await import(name);\n"),
    Case("written", "computed-import", 0, 'const m = await import("ccxt");\n'),
    Case("key", "secret-in-code", 1, 'const apiSecret: string = "kJ8sHd72hSkq01LLmznQpw8aQvT4Ue";\n'),
    Case("key-field", "secret-in-code", 1, "f({ secret: `kJ8sHd72hSkq01LLmznQpw8aQvT4Ue` });\n"),
    Case(
        "key-fallback", "secret-in-code", 1, 'x = process.env.API_KEY ?? "kJ8sHd72hSkq01LLmznQpw8aQvT4Ue";\n'
    ),
    Case("key-read", "secret-in-code", 0, "const apiSecret = process.env.API_SECRET;\n"),
    Case("key-placeholder", "secret-in-code", 0, 'const apiSecret = "your-api-secret-goes-here";\n'),
)

CASES = (*LOOPS, *ORDERS, *SECURITY)
