"""A user's message taken apart once: prose, pasted code, addresses, markets, and the canonical text.

Canonical text is what the extractors read: lower case, plain digits (numerals.py), words put right
(spelling.py), without code, addresses and market names.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from shared.model.offline.extract_schedule import find_cron
from shared.model.offline.extract_symbol import FoundSymbol, find_symbols
from shared.model.offline.markets import NAMES
from shared.model.offline.numerals import to_digits
from shared.model.offline.spelling import correct, nearest

MAX_CHARS = 32_768
# Wishes are said in a few sentences, before or after what is pasted: the middle of a long text is not read.
_HEAD_CHARS, _TAIL_CHARS = 2_000, 1_500

_FENCE = re.compile(r"```[ \t]*([\w+#.-]{0,40})[^\n]{0,80}\n(.*?)(?:```|\Z)", re.DOTALL)
_URL = re.compile(r"https?://[^\s<>\"'`]{1,2000}", re.IGNORECASE)
_BARE_HOST = re.compile(
    r"(?<![\w@./-])(?:www\.)?(?:[a-z0-9-]{1,63}\.){1,4}(?:com|org|io|dev|net)(?:/[^\s<>\"'`]{0,500})?",
    re.IGNORECASE,
)
_FILE = re.compile(
    r"(?<![\w/.-])(?![Nn]ode\.[Jj][Ss]\b)((?:[\w.-]{1,60}/){0,7}[\w-]{1,100}(?:\.[\w-]{1,20}){0,2}"
    r"\.(?:py|yaml|yml|json|md|txt|csv|toml|js|ts|html|png))(?![\w/])"
)
_NAME = re.compile(
    r"\b(?:called|named|call (?:it|the bot|this|this bot|that)|name (?:it|the bot|this|this bot)"
    r"|rename (?:it|the bot|this|this bot)(?: to| as)?|rename to|(?:its|bot|new|the) name(?: is|:| should "
    r"be| to| =)"
    r"|name:|with the name)\s{1,3}"
    r"(?:\"([^\"\n]{1,80})\"|'([^'\n]{1,80})'|`([^`\n]{1,80})`|([\w-][\w -]{0,79}))",
    re.IGNORECASE,
)
_ARROW = re.compile(r" ?[-=]> ?")
_LONG_WORD = re.compile(r"\b[A-Za-z]{6,12}\b")
_NAME_ENDS = frozenset(
    [
        "that",
        "which",
        "who",
        "for",
        "on",
        "with",
        "and",
        "to",
        "using",
        "in",
        "trading",
        "buying",
        "it",
        "please",
        "from",
        "at",
        "but",
        "so",
        "where",
        "when",
        "instead",
        "now",
        "then",
        "as",
        "by",
        "every",
        "the",
        "running",
    ]
)
# Typographic signs by code point, as they look like the plain ones: quotes, dashes, comparisons, an arrow.
_TYPOGRAPHIC = {
    0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x2013: "-", 0x2212: "-", 0x2014: ",", 0x2264: "<",
    0x2265: ">", 0x2192: " to ",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """Code that the user pasted between fences; `language` is the fence's label, may be empty."""

    language: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One message of the user; see the module."""

    raw: str
    prose: str
    canonical: str
    snippets: tuple[Snippet, ...]
    urls: tuple[str, ...]
    filenames: tuple[str, ...]
    symbols: tuple[FoundSymbol, ...]
    name: str | None
    cron: str | None

    @property
    def symbol(self) -> str | None:
        """The market that is asked for: the first one that is not named as the old one."""
        return next((found.symbol for found in self.symbols if found.wanted), None)

    @property
    def other_symbols(self) -> tuple[str, ...]:
        """Further markets that are asked for, each once."""
        wanted = dict.fromkeys(found.symbol for found in self.symbols if found.wanted)
        return tuple(wanted)[1:]


def read_utterance(text: str) -> Utterance:
    """The message taken apart; what goes beyond the contract's 32,768 characters is left unread."""
    raw = text[:MAX_CHARS]
    snippets = tuple(Snippet(language=m[1].lower(), code=m[2].strip("\n")) for m in _FENCE.finditer(raw))
    prose = unicodedata.normalize("NFKC", _ends(_FENCE.sub(" \n", raw))).translate(_TYPOGRAPHIC)
    # A second time, as normalisation writes some signs out in many letters.
    prose = _ends(prose)
    urls = [m.group().rstrip(".,;:!?)]}") for m in _URL.finditer(prose)]
    prose = _URL.sub(" ", prose)
    urls += [m.group().rstrip(".,;:!?") for m in _BARE_HOST.finditer(prose)]
    name, rest = _take_name(_ARROW.sub(" to ", _BARE_HOST.sub(" ", prose)))
    filenames = tuple(dict.fromkeys(m[1] for m in _FILE.finditer(rest)))
    rest = _FILE.sub(" filename ", rest)
    cron, rest = _take_cron(rest)
    rest = _LONG_WORD.sub(_coin_name, rest)
    symbols = find_symbols(rest)
    return Utterance(
        raw=raw,
        prose=prose.strip(),
        canonical=canonical(_without(rest, symbols)),
        snippets=snippets,
        urls=tuple(dict.fromkeys(urls)),
        filenames=filenames,
        symbols=symbols,
        name=name,
        cron=cron,
    )


def canonical(text: str) -> str:
    """The text as the extractors read it: lower case, single blanks, plain digits, no slips of spelling."""
    lowered = re.sub(r"[ \t\r\f\v]{1,9999}", " ", text.lower())
    return to_digits(correct(lowered)).strip()


def slug(text: str) -> str | None:
    """The text as a bot's name (3 to 50 of a-z, 0-9 and hyphens), None where too little is left."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-")[:50].strip("-")
    return name if len(name) >= 3 else None


def _coin_name(match: re.Match[str]) -> str:
    """A coin's name put right; every other word as it is."""
    word = nearest(match.group().lower())
    return word if word in NAMES else match.group()


def _ends(text: str) -> str:
    """The beginning and the end of a long text."""
    if len(text) <= _HEAD_CHARS + _TAIL_CHARS + 2:
        return text
    return f"{text[:_HEAD_CHARS]}\n\n{text[-_TAIL_CHARS:]}"


def _take_name(text: str) -> tuple[str | None, str]:
    for match in _NAME.finditer(text):
        quoted = match[1] or match[2] or match[3]
        if quoted:
            return quoted.strip() or None, f"{text[: match.start()]} {text[match.end() :]}"
        words: list[str] = []
        for word in match[4].split(" "):
            if word.lower() in _NAME_ENDS or len(words) == 4:
                break
            words.append(word)
        if words:
            end = match.start(4) + len(" ".join(words))
            return " ".join(words).strip(), f"{text[: match.start()]} {text[end:]}"
    return None, text


def _take_cron(text: str) -> tuple[str | None, str]:
    found = find_cron(re.sub(r"[\"'`,.](?=\s|$)|[\"'`]", " ", text))
    if not found:
        return None, text
    cron, (start, end) = found
    return cron, f"{text[:start]} on cron {text[end:]}"


def _without(text: str, symbols: tuple[FoundSymbol, ...]) -> str:
    pieces, position = [], 0
    for found in symbols:
        pieces += [text[position : found.start], "xsymbol"]
        position = found.end
    return "".join((*pieces, text[position:]))
