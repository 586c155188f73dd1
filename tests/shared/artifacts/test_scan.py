"""What a save is refused for, what it is told, and what it is left alone with."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from shared.analysis import secrets
from shared.artifacts.quick_search import holds
from shared.artifacts.scan import Scan, Scanner
from shared.artifacts.suspects import may_be_dangerous, may_escape, may_name_secret, suspect_lines
from shared.errors import FindingsError
from shared.tools.templates.catalog import STRATEGIES
from shared.tools.templates.render import Bot, render_bot
from tests.shared.analysis.test_secrets import CLEAN, KEY, LEAKS

AWS = "AKIA" + "QK7ZP3M2N5R8T1VW"
DOCUMENTS = sorted((Path(__file__).parents[3] / "docs").glob("*.md"))


def scan(name: str, data: bytes | str) -> Scan:
    data = data.encode() if isinstance(data, str) else data
    return Scanner().scan(name, data, hashlib.sha256(data).hexdigest())


def refused(name: str, data: bytes | str) -> list[dict[str, Any]]:
    with pytest.raises(FindingsError) as raised:
        scan(name, data)
    findings: list[dict[str, Any]] = raised.value.details["findings"]
    assert raised.value.http_status == 422
    return findings


def zipped(**files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("_", "."), data)
    return target.getvalue()


def tarred(name: str, data: bytes) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return target.getvalue()


@pytest.mark.parametrize("code", LEAKS)
def test_a_credential_in_python_is_refused_and_never_repeated(code: str) -> None:
    findings = refused("bot.py", code)
    assert findings[0]["rule"] == "secret-in-code"
    assert findings[0]["line"] == code.count("\n") + 1 or findings[0]["line"] <= 2
    assert KEY not in json.dumps(findings)


@pytest.mark.parametrize("code", CLEAN)
def test_names_and_placeholders_are_kept(code: str) -> None:
    assert scan("bot.py", code).findings == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bot-config.yaml", f"name: bot\napi_secret: {KEY}\n"),
        ("settings.json", json.dumps({"apiKey": KEY}, indent=1)),
        (".env", f"EXCHANGE_SECRET={KEY}\n"),
        ("README.md", f"# Bot\n\nRun it with `API_KEY={KEY}`.\n"),
        ("data.csv", f"time,open\n1,2\n3,{AWS}\n"),
        ("bot.js", f'const apiKey = "{KEY}";\n'),
        ("bot.rs", f'let api_key: &str = "{KEY}";\n'),
        ("Bot.cs", f'string apiSecret = "{KEY}";\n'),
        ("unknown", f"token: {KEY}\n"),
        ("telegram.txt", "bot\n98127345:" + "AAF9kJ8sHd72hSkq01LLmznQpw8aQvT4UeX" + "\n"),
    ],
    ids=lambda value: value if len(value) < 20 else "",
)
def test_a_credential_in_any_text_is_refused(name: str, text: str) -> None:
    findings = refused(name, text)
    assert {finding["rule"] for finding in findings} == {"secret-in-code"}
    line = findings[0]["line"]
    assert KEY in text.splitlines()[line - 1] or AWS in text or "AAF9" in text
    assert KEY not in json.dumps(findings)


def test_the_message_names_line_and_way_out_but_nothing_of_the_file() -> None:
    with pytest.raises(FindingsError) as raised:
        scan("bot.py", f'import ccxt\n\nmy_private_api_key = "{KEY}"\n')
    assert "line 3" in raised.value.message
    assert "environment" in raised.value.message
    assert KEY not in raised.value.message
    assert "my_private" not in json.dumps([raised.value.message, raised.value.details])


def test_a_credential_far_down_a_large_file_is_found() -> None:
    rows = "".join(f"{n},{n * 3},pass: {n}\n" for n in range(60_000))
    findings = refused("data.csv", rows + f"key={AWS}\n")
    assert findings[0]["line"] == 60_001


@pytest.mark.parametrize(
    ("name", "code", "rule"),
    [
        ("bot.py", "def main(text):\n    exec(text)\n", "B102"),
        ("bot.py", "import os\n\nos.system('ls ' + input())\n", "B605"),
        ("bot.py", "import subprocess\nsubprocess.run(input(), shell=True)\n", "B602"),
        ("bot.py", "x = ().__class__.__bases__[0].__subclasses__()\n", "sandbox-escape"),
        ("bot.py", "open('/var/run/docker.sock')\n", "sandbox-escape"),
        ("run.sh", "nsenter -t 1 -m sh\n", "sandbox-escape"),
        ("bot.js", 'import { exec } from "node:child_process";\nexec(process.argv[2]);\n', "shell-command"),
    ],
)
def test_a_way_out_of_the_sandbox_is_refused(name: str, code: str, rule: str) -> None:
    assert rule in {finding["rule"] for finding in refused(name, code)}


def test_what_is_only_bad_practice_is_kept_with_a_finding() -> None:
    found = scan("bot.py", "def value(text):\n    return eval(text)\n")
    assert [(finding["rule"], finding["line"]) for finding in found.findings] == [("B307", 2)]


@pytest.mark.parametrize(
    "code",
    [
        "# never mount /var/run/docker.sock\nx = 1\n",
        "async def execute(order):\n    '''Runs an execution at every interval.'''\n",
        "import os\nname = os.path.basename('/tmp/x')\n",
        "const found = /a(b)/.exec(line);\n",
    ],
)
def test_words_alone_are_no_danger(code: str) -> None:
    assert scan("bot.js" if "const" in code else "bot.py", code).findings == ()


def test_archives_are_looked_into() -> None:
    inside = f'api_secret = "{KEY}"\n'.encode()
    for data in (zipped(bot_py=inside), tarred("bot.py", inside)):
        assert "Inside the archive" in refused("bot.bin", data)[0]["message"]
    assert refused("notes.gz", gzip.compress(f"see {AWS}".encode()))
    assert scan("data.zip", zipped(rows_csv=b"1,2\n")).findings == ()
    assert scan("data.zip", zipped(rows_csv=b"1,2\n")).mime_type == "application/zip"


def test_an_archive_that_is_not_looked_into_says_so() -> None:
    bomb = zipped(big_txt=b"\0" * 30_000_000)
    began = time.process_time()
    for data in (bomb, gzip.compress(b"0" * 30_000_000), zipped(in_zip=zipped(a_py=b"x = 1\n"))):
        assert [finding["rule"] for finding in scan("files.zip", data).findings] == ["archive"]
    assert [f["rule"] for f in scan("files.zip", bomb[:200]).findings] == ["archive"]
    assert time.process_time() - began < 5


@pytest.mark.parametrize("name", ["bot.py", "README.md", "bot-config.yaml", "rows.csv"])
def test_content_under_a_false_name_is_refused(name: str) -> None:
    program = Path(sys.executable).resolve().read_bytes()[:4096]
    for data in (zipped(__main___py=b"print(1)\n"), program):
        assert refused(name, data)[0]["rule"] == "disguised-content"
    found = scan("runner", program)
    assert [finding["severity"] for finding in found.findings] == ["high"]


@pytest.mark.parametrize(
    ("name", "data", "kind", "mime"),
    [
        ("bot.py", b"x = 1\n", "bot_code", "text/x-python"),
        ("README.md", "Grüße\n".encode(), "documentation", "text/markdown"),
        ("bot.py", b"", "bot_code", "text/x-python"),
        ("bot.py", b"\x89PNG\r\n\x1a\n\0\0", "other", "image/png"),
        ("rows.csv", b"PAR1\0\0\xff", "data", "application/vnd.apache.parquet"),
        ("BZh.txt", b"BZhang is a name\n", "other", "text/plain"),
        ("picture", b"\xff\xd8\xff\xe0\0", "other", "image/jpeg"),
    ],
)
def test_the_type_is_by_content(name: str, data: bytes, kind: str, mime: str) -> None:
    found = scan(name, data)
    assert (found.type, found.mime_type, found.findings) == (kind, mime, ())


@pytest.mark.parametrize("name", STRATEGIES)
def test_our_own_templates_are_clean(name: str) -> None:
    strategy = STRATEGIES[name]
    bot = Bot(name="bot", strategy=strategy, parameters=strategy.model(), bot_type="realtime")
    files = render_bot(bot)
    assert files
    for name, data in files.items():
        assert scan(name, data).findings == (), name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_our_own_documents_are_clean(document: Path) -> None:
    assert scan(document.name, document.read_bytes()).findings == ()


def test_a_plain_file_loads_no_scanner_and_is_looked_at_once() -> None:
    program = (
        "import sys, hashlib\n"
        "from shared.artifacts.scan import Scanner\n"
        "data = b'x = 1\\n' * 1700\n"
        "Scanner().scan('bot.py', data, hashlib.sha256(data).hexdigest())\n"
        "assert not {'bandit', 'detect_secrets', 'stevedore'} & set(sys.modules), sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def test_what_was_scanned_is_remembered() -> None:
    scanner = Scanner()
    data = b"def value(text):\n    return eval(text)\n"
    first = scanner.scan("bot.py", data, "a")
    assert scanner.scan("bot.py", data, "a") is first
    assert scanner.scan("notes.txt", data, "a").findings == ()


def test_a_save_waits_at_most_a_moment() -> None:
    """Ten KB of code that nothing is found in, in processor time: a wide bound, for slow machines."""
    code = ("    price = self.price * self.size  # of the interval\n" * 200).encode()
    taken = []
    for _ in range(21):
        began = time.thread_time()
        Scanner().scan("bot.py", code, "a")
        taken.append(time.thread_time() - began)
    assert sorted(taken)[10] < 0.005


def _tokens() -> list[str]:
    """One of each kind that the detectors know, made as their patterns are; none is or was anybody's."""
    word = "Zq3Wx9Kp7Lm2Vt8Rb4Yn6Hs1Jd5Gf0Tc"
    long = (word * 3)[:90]
    return [
        *(f"{kind}{word.upper()[:16]}" for kind in ("A3TX", "AKIA", "ABIA", "ACCA", "ASIA")),
        f"aws_Secret_KEY = '{(word * 2)[:40]}'",
        f"AccountKey={long[:88]}",
        *(f"{kind}_{(word * 2)[:36]}" for kind in ("ghp", "gho", "ghu", "ghs", "ghr")),
        *(f"{kind}-{word[:24]}" for kind in ("glpat", "gldt", "glft", "glsoat", "glrt")),
        f"GR1348941{word[:24]}",
        f"glcbt-a1_{word[:24]}",
        f"glimt-{word[:25]}",
        f"glptt-{long[:40]}",
        f"glagent-{long[:50]}",
        f"gloas-{long[:64]}",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJub2JvZHkifQ.c2lnbmF0dXJlLW9mLW5vYm9keQ",
        *(f"-----BEGIN {kind}PRIVATE KEY-----" for kind in ("", "RSA ", "EC ", "OPENSSH ", "DSA ")),
        "-----BEGIN PGP PRIVATE KEY BLOCK-----",
        "PuTTY-User-Key-File-2: ssh-rsa",
        f"pypi-AgEIcHlwaS5vcmc{long[:80]}",
        f"pypi-AgENdGVzdC5weXBpLm9yZw{long[:80]}",
        f"SG.{word[:22]}.{long[:43]}",
        f"xoxb-{7391846205}-{8264917350}-{word[:24]}",
        f"https://hooks.slack.com/services/T{word[:9]}/B{word[:9]}/{word[:24]}",
        *(f"{kind}k_live_{word[:24]}" for kind in "rs"),
        f"7391846205:{'AA' + long[:33]}",
        f"M{long[:23]}.{word[:6]}.{word[:27]}",
        f"sk-{word}",
        f"sk-ant-{word}{word}",
        f"sk-proj-{word}{word}",
        f"AIza{long[:35]}",
        f"postgres://bot:{word[:12]}@db.internal/prices",
    ]


def _misses(text: str) -> list[str]:
    """The lines in which the scanner knows a token, and which the quick look takes for harmless."""
    looked_at = set(suspect_lines(text, text.lower(), settings=False))
    lines = text.splitlines()
    return [
        line
        for index, line in enumerate(lines)
        if index not in looked_at and (secrets._known(line) or secrets._shaped(line))
    ]


@pytest.mark.parametrize("token", _tokens())
def test_the_quick_look_misses_no_token(token: str) -> None:
    for written in (token, token.upper(), token.lower(), token.swapcase(), token.title()):
        for line in (written, f'KEY = "{written}"', f"x = f('{written}')  # why"):
            assert _misses(f"import os\n{line}\nprint(1)\n") == []
    assert secrets._known(token) or secrets._shaped(token), "the test's own token is none"


def test_the_quick_look_misses_nothing_of_real_files() -> None:
    root = Path(__file__).parents[3]
    files = [*root.glob("shared/analysis/**/*.py"), *root.glob("tests/shared/analysis/**/*.py"), *DOCUMENTS]
    assert len(files) > 40
    for file in files:
        assert _misses(file.read_text()) == [], file


@pytest.mark.parametrize(
    "code",
    [
        "exec (x)",
        "Shell  = True",
        "y = PICKLE.loads(x)",
        "import os as o; os.spawnv(1)",
        "require('VM')",
        "open('/PROC/1/root')",
        "éval = x.__Subclasses__ ()",
        "# a café\nsubprocess.run(x)",
    ],
)
def test_the_quick_look_passes_no_danger_over_however_it_is_written(code: str) -> None:
    for written in (code, f"x = 1\n{code}\n", f"ž {code} ž"):
        assert may_be_dangerous(written.lower()) or may_escape(written.lower())
    for word in ("execute", "retrieval", "cos.system_time", "shelling"):
        assert not may_be_dangerous(f"{word} = 1")


@pytest.mark.parametrize(
    "value", [KEY, "Tr0ub4dor&3xyz", "abc1-def2-ghi3-jkl4", "legal winner " * 5 + "thank yellow"]
)
def test_the_quick_look_passes_no_value_over_that_may_be_secret(value: str) -> None:
    for quote in "\"'`":
        code = f"token = {quote}{value}{quote}\n"
        assert may_name_secret(code, code.lower())


def test_what_a_quick_search_cannot_read_is_looked_at() -> None:
    assert holds("never there", "half a pair \ud800")
    assert not holds("never there", "a whole 😀")


def test_a_look_says_what_a_scan_says_or_nothing() -> None:
    root = Path(__file__).parents[3]
    real = [(file.name, file.read_bytes()) for file in root.glob("shared/**/*.py")]
    texts = [("bot.py", code.encode()) for code in (*LEAKS, *CLEAN, *_tokens())]
    odd = [
        (name, data)
        for name in ("a.py", "a.zip", "a.md", "a")
        for data in (b"", b"\xff", b"PK\x03\x04", b"x")
    ]
    looked = 0
    for name, data in (*real, *texts, *odd):
        look = Scanner().look(name, data, "s")
        if look is not None:
            looked += 1
            assert look == scan(name, data)
    # Most of what is saved is such a file, and none of these is one.
    assert looked > len(real) / 3
    assert all(Scanner().look("bot.py", token.encode(), "s") is None for token in _tokens())
