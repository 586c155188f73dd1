"""Tells a real credential from a placeholder, a setting's name and a path, by name and by shape."""

from __future__ import annotations

import math
import re
from collections import Counter

_MAX_NAME = 120
_MIN_LENGTH = 16
_MIN_CHOSEN_LENGTH = 8
_MIN_ENTROPY = 3.0
_LOW_ENTROPY = 2.5

_NAME = re.compile(
    r"(?:api|access|secret|private|auth|client|signing|wallet|account|encryption|exchange)_?(?:key|secret|token)"
    r"|(?:^|_)(?:secret|token|passphrase|passwd|password|mnemonic|seed_?phrase|credentials?)(?:_|$)"
    r"|(?:^|_)(?:binance|kraken|coinbase|bybit|okx|kucoin|bitget|alpaca|ccxt)_?(?:key|secret)",
    re.IGNORECASE,
)
# A name that says where a credential is found, or speaks of one, holds none itself.
_NOT_VALUE = re.compile(
    r"(?:_|^)(?:name|env|var|variable|path|file|field|header|url|uri|id|label|prompt|pattern|regex|prefix|type"
    r"|length|hash|algorithm|scheme|param|parameter|column|limit|count|help|description|message)s?$",
    re.IGNORECASE,
)
# People choose these themselves, so they are shorter than a key that an exchange makes.
_CHOSEN = re.compile(r"pass_?(?:word|phrase|wd)", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"your|example|sample|placeholder|change[-_ ]?me|replace|insert|dummy|fake|mock|todo|redacted"
    r"|xxx|not[-_ ]?set|\*\*\*|\.\.\.|<[^>]*>|\$\{|\{\{|%\(|^env[:.]|^vault:|^secret[s]?[:/]"
    r"|^(?:test|demo)[-_]|1234567|abcdef|deadbeef",
    re.IGNORECASE,
)
_RANDOM = re.compile(r"[A-Za-z0-9+/=_-]{16,4096}")
# The address of a token's contract or of a wallet is public.
_ADDRESS = re.compile(r"^0x[0-9a-fA-F]{40}$")
_WORDS = re.compile(r"^(?:[A-Z]?[a-z]+|[A-Z]+)(?:[-_ ./:](?:[A-Z]?[a-z]+|[A-Z]+|\d{1,8}))*$")


def is_secret_name(name: str) -> bool:
    """Whether a variable, field or argument of this name holds a credential."""
    if len(name) > _MAX_NAME:
        return False
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_")
    return bool(_NAME.search(snake)) and not _NOT_VALUE.search(snake)


def looks_secret(name: str, value: str) -> bool:
    """Whether the value is random enough for a credential of that name."""
    shortest = _MIN_CHOSEN_LENGTH if _CHOSEN.search(name) else _MIN_LENGTH
    if not shortest <= len(value) <= 4096 or _PLACEHOLDER.search(value) or value.isspace():
        return False
    if "://" in value or value.startswith(("/", "./", "~")) or _ADDRESS.match(value):
        return False
    if _is_phrase(value):
        return True
    if re.search(r"\s", value) or _WORDS.match(value):
        return False
    short = len(value) < _MIN_LENGTH or re.fullmatch(r"(?:0x)?[0-9a-fA-F]+", value)
    needed = _LOW_ENTROPY if short else _MIN_ENTROPY
    return _entropy(value) >= needed and _is_mixed(value)


def without_secrets(text: str) -> str:
    """The text with every word left out that might be a credential; for messages that quote code."""
    return _RANDOM.sub(lambda match: "…" if looks_secret("", match[0]) else match[0], text)


def is_placeholder(value: str) -> bool:
    """Whether the value plainly stands for another one."""
    return bool(_PLACEHOLDER.search(value)) or len(set(value)) < 5


def _is_mixed(value: str) -> bool:
    kinds = (r"[a-z]", r"[A-Z]", r"[0-9]")
    return sum(1 for kind in kinds if re.search(kind, value)) >= 2


def _is_phrase(value: str) -> bool:
    """A wallet's recovery phrase: 12, 15, 18, 21 or 24 short lower-case words (BIP 39)."""
    words = value.split(" ")
    return len(words) in (12, 15, 18, 21, 24) and all(re.fullmatch(r"[a-z]{3,8}", word) for word in words)


def _entropy(value: str) -> float:
    """Shannon's entropy in bits a character."""
    counts = Counter(value).values()
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts)
