"""The summary by rules, where there is no language model: deterministic, made of what the user said.

Kept are the first request word for word, sentences with limits, values or corrections, what was asked and
answered in a line each, files, tools that saved them, and markets. Results of tools are never read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from shared.agent.digest import TurnDigest
from shared.agent.notes import Notes, item, quotation

_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
_RULE = re.compile(
    r"\d|%|\b(?:must|never|always|only|don'?t|do not|not|without|at (?:most|least)|max(?:imum)?|min(?:imum)?"
    r"|limit|no more|instead|actually|rather|correct(?:ion)?|wrong|change|should|shall|require[sd]?|risk|stop"
    r"|prefer|remember|important|deadline|budget)\b",
    re.IGNORECASE,
)
_MARKET = re.compile(r"\b[A-Z][A-Z0-9]{1,9}/[A-Z]{3,5}\b")
_SMALL_TALK = re.compile(
    r"\W*(?:hi|hello|hey|good (?:morning|day|evening|afternoon)|how are you|who are you|what can you do|help"
    r"|thanks?|thank you|test(?:ing)?)\b",
    re.IGNORECASE,
)
_SMALL_TALK_WORDS = 9
_MOST = 60


def extract(notes: Notes, turns: Sequence[TurnDigest]) -> Notes:
    """The notes with these turns in them, oldest first."""
    files = dict(_file(entry) for entry in notes.files)
    for turn in turns:
        for deed in turn.deeds:
            for name in deed.files:
                files.pop(name, None)
                files[name] = f"turn {turn.number}"
    return replace(
        notes,
        first=first_request(notes.first, turns),
        rules=_joined(notes.rules, (rule for turn in turns for rule in _rules(turn))),
        asked=_joined(notes.asked, map(_asked, turns)),
        deeds=_joined(notes.deeds, (deed for turn in turns for deed in _deeds(turn))),
        files=tuple(f"{name} ({turn})" for name, turn in files.items()),
        markets=_joined(notes.markets, (m for turn in turns for m in _MARKET.findall(turn.asked))),
    )


def first_request(first: str, turns: Iterable[TurnDigest]) -> str:
    """The first request word for word: the one that is known, else the first of these turns that is one."""
    return first or next((quotation(turn.asked) for turn in turns if _is_request(turn.asked)), "")


def _is_request(text: str) -> bool:
    words = text.split()
    if _SMALL_TALK.match(text) and len(words) <= _SMALL_TALK_WORDS and not any(c.isdigit() for c in text):
        return False
    # Scripts without blanks say a lot in one word.
    return len(words) >= 4 or bool(_RULE.search(text)) or (len(text) >= 12 and not text.isascii())


def _rules(turn: TurnDigest) -> Iterable[str]:
    for sentence in _SENTENCE.split(_CODE.sub(" ", turn.asked)):
        if _RULE.search(sentence):
            yield f"(turn {turn.number}) {item(sentence, 240)}"


def _asked(turn: TurnDigest) -> str:
    answer = next((part for part in _SENTENCE.split(turn.answered) if part.strip()), turn.ending)
    return item(f"(turn {turn.number}) user: {item(turn.asked, 140)} | agent: {item(answer, 120)}")


def _deeds(turn: TurnDigest) -> Iterable[str]:
    for deed in turn.deeds:
        if deed.ok and deed.files:
            yield f"(turn {turn.number}) {item(f'{deed.name} {deed.arguments}')}"


def _file(entry: str) -> tuple[str, str]:
    name, _, turn = entry.rpartition(" (")
    return name, turn.removesuffix(")")


def _joined(old: Sequence[str], new: Iterable[str]) -> tuple[str, ...]:
    """Old and new entries, each once, and of very many the first and the last."""
    entries = tuple(dict.fromkeys((*old, *new)))
    if len(entries) <= _MOST:
        return entries
    return (*entries[: _MOST // 3], *entries[_MOST // 3 - _MOST :])
