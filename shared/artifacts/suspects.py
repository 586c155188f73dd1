"""Quick looks at a text: which of its lines, and whether its code, are worth a scanner's time.

A scanner takes milliseconds for a file of 10 KB, and nearly every file holds nothing: words are searched
first, without which none of the scanners finds anything. The searches of whole texts are quick_search.py's.
"""

from __future__ import annotations

import re

from shared.artifacts.quick_search import holds

# What the known kinds of tokens hold, as written: their patterns tell capitals from small letters. The longer
# a word, the fewer lines hold it by chance.
_TOKENS = (
    *("A3T", "AKIA", "ABIA", "ACCA", "ASIA", "AccountKey=", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    *("glpat-", "gldt-", "glft-", "glsoat-", "glrt-", "GR1348941", "glcbt-", "glptt-", "glimt-", "glagent-"),
    *("gloas-", "eyJ", " PRIVATE KEY", "PuTTY-", "pypi-AgE", "SG.", "k_live_", "sk-", "AIza"),
)
# Of patterns that tell none.
_TOKENS_IN_ANY_CASE = ("aws", "xox", "hooks.slack")
_NAMES = ("key", "secret", "token", "pass", "credential", "mnemonic", "seed")
# Two messengers' tokens have no word of their own.
_WORDLESS = (re.compile(r":[\w-]{35}"), re.compile(r"\.[\w-]{6}\.[\w-]{27}"))
_VALUE = re.compile(r"""[:=]\s*["']?[^\s"',}#]{8}""")
_LITERAL = re.compile(r"""["'`]([^\s"'`]{8,4096}|[a-z]{3,8}(?: [a-z]{3,8}){11,23})["'`]""")

# The same for a whole text, in Rust's syntax, each finding at least what its like above finds in a line.
_words = re.escape
_TOKEN_OR_URL = (
    f"{'|'.join(map(_words, _TOKENS))}|(?i:{'|'.join(map(_words, _TOKENS_IN_ANY_CASE))})|://.*@|@.*://"
)
# Any letter beyond ASCII counts as one of a word: Unicode's own table of them takes 0.1 s to compile.
_IN_WORD = r"[0-9A-Za-z_\-[^\x00-\x7F]]"
_SHAPE = rf":{_IN_WORD}{{35}}|\.{_IN_WORD}{{6}}\.{_IN_WORD}{{27}}"
_NAME = "|".join(_NAMES)
_UNBROKEN = r"""[^\s"'`]*"""
# What a secret's value must be, and most literals are not: of two kinds of letters and digits, or a phrase.
_MIXED = rf"[0-9]|[a-z]{_UNBROKEN}[A-Z]|[A-Z]{_UNBROKEN}[a-z]"
_MIXED_LITERAL = (
    rf"""["'`](?:{_UNBROKEN}(?:{_MIXED}){_UNBROKEN}|[a-z]{{3,8}}(?: [a-z]{{3,8}}){{11,23}})["'`]"""
)
_DANGER = (
    r"(?-u:\b)(?:exec|eval)(?-u:\b)|(?-u:\b)os\.(?:system|exec|spawn|popen|posix_spawn)|popen|subprocess"
    r"|(?-u:\b)shell\s*=|pickle|marshal|child_process|node:vm|['\"]vm['\"]"
)
_ESCAPE = r"docker\.sock|containerd\.sock|/proc/|__subclasses__|release_agent|nsenter"


def suspect_lines(text: str, lowered: str, *, settings: bool) -> list[int]:
    """The indexes of the text's lines that may hold a credential; `lowered` is the text in lower case.

    In settings, and texts about them, a name and its value count; in code only what a token itself shows.
    """
    names = [word for word in _NAMES if word in lowered] if settings else []
    if not (names or holds(_TOKEN_OR_URL, text) or holds(_SHAPE, text)):
        return []
    tokens = [word for word in _TOKENS if word in text]
    words = [word for word in _TOKENS_IN_ANY_CASE if word in lowered]
    shapes = [shape for shape in _WORDLESS if shape.search(text)]
    in_urls = "://" in lowered and "@" in lowered
    return [
        index
        for index, line in enumerate(text.splitlines())
        if _holds(line, tokens)
        or (words and _holds(line.lower(), words))
        or (names and _VALUE.search(line) and _holds(line.lower(), names))
        or (in_urls and "@" in line and "://" in line)
        or any(shape.search(line) for shape in shapes)
    ]


def may_name_secret(text: str, lowered: str) -> bool:
    """Whether the code may bind a random-looking literal to the name of a credential."""
    if not (holds(_NAME, lowered) and holds(_MIXED_LITERAL, text)):
        return False
    from shared.analysis.secret_shapes import looks_secret

    # As a password: the shortest that counts.
    return any(looks_secret("password", literal) for literal in _LITERAL.findall(text))


def may_be_dangerous(lowered: str) -> bool:
    """Whether the code may run other code or programs."""
    return holds(_DANGER, lowered)


def may_escape(lowered: str) -> bool:
    """Whether the text names a way out of a container or an interpreter's limits."""
    return holds(_ESCAPE, lowered)


def _holds(line: str, words: list[str]) -> bool:
    # A plain loop: a generator costs more than the searches.
    for word in words:  # noqa: SIM110
        if word in line:
            return True
    return False
