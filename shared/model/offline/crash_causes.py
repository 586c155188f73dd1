"""What common errors mean for a bot, and where to look: the first that fits counts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.model.offline.crash_trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What an error likely comes from. `is_outside`: no change of the line at fault would mend it."""

    pattern: re.Pattern[str]
    says: str
    look_at: str
    is_outside: bool = False


def _cause(pattern: str, says: str, look_at: str, *, is_outside: bool = False) -> Cause:
    return Cause(
        pattern=re.compile(pattern, re.IGNORECASE), says=says, look_at=look_at, is_outside=is_outside
    )


UNKNOWN = _cause(
    "",
    "The error is none that I have a rule for.",
    "Read the quoted lines and the line at fault; a language model (`GEMINI_API_KEY`) can "
    "say more than I can.",
)
_CAUSES = (
    _cause(
        r"InsufficientFunds|insufficient (?:balance|funds|margin)|not enough (?:balance|funds)",
        "The account holds too little for the order.",
        "Look at the account's balance and at the size of an order in the configuration; "
        "lower the risk per trade.",
        is_outside=True,
    ),
    _cause(
        r"RateLimitExceeded|DDoSProtection|\b429\b|too many requests|rate limit",
        "The exchange refused the request, as too many came.",
        "Look at how often the bot asks, and let several bots not share one key; a pause "
        "between rounds helps.",
        is_outside=True,
    ),
    _cause(
        r"AuthenticationError|invalid api.?key|PermissionDenied|\b401\b|\b403\b|signature for this request",
        "The exchange refused the key.",
        "Look at the key and its secret in the bot's configuration: rights, addresses that "
        "may use it, its end.",
        is_outside=True,
    ),
    _cause(
        r"BadSymbol|does not have market symbol|unknown (?:symbol|market)",
        "The exchange does not have that market.",
        "Look at `symbol` in the configuration, as the exchange writes it.",
        is_outside=True,
    ),
    _cause(
        r"NetworkError|ExchangeNotAvailable|RequestTimeout|ConnectionError|Connect(?:ion)?Timeout|ReadTimeout"
        r"|\bECONNREFUSED|\bECONNRESET|\bETIMEDOUT|\bENOTFOUND|\bEAI_AGAIN|fetch failed"
        r"|name resolution|max retries exceeded",
        "The exchange or the network did not answer.",
        "It usually passes. Where it comes again, let the bot try a read again a few times "
        "before it gives up.",
        is_outside=True,
    ),
    _cause(
        r"ModuleNotFoundError|No module named|Cannot find (?:module|package)|ERR_MODULE_NOT_FOUND",
        "A package that the code imports is not installed on the platform.",
        "Look at requirements.txt, or package.json: the package must be named there.",
    ),
    _cause(
        r"module 'the0' has no attribute|cannot import name .{1,80} from 'the0|the0\.\w+ is not a function"
        r"|\b(?:parse|metric|success|state)\(\) (?:missing|takes|got an unexpected)",
        "The SDK is called in a way that it does not have.",
        "Look at the call: parse() gives the bot's id and configuration, metric(name, "
        "values) tells a metric, "
        "success(message) and error(message) end a run.",
    ),
    _cause(
        r"JSONDecodeError|Unexpected (?:token|end of JSON)|is not valid JSON|Expecting value",
        "What was read as JSON is none: often an error page of a service, or an empty answer.",
        "Look at where the text comes from, and at its status before it is read.",
    ),
    _cause(
        r"ZeroDivisionError|DivisionByZero|DivisionUndefined|division by zero",
        "A division by zero: a sum, a count or a range of prices is 0, as with too few "
        "candles or a flat market.",
        "Look at what the line divides by.",
    ),
    _cause(
        r"KeyError",
        "A member is missing: a field that the configuration, or an answer, does not have.",
        "Look at the name, at bot-schema.json, and at the configuration of the instance.",
    ),
    _cause(
        r"IndexError|index out of (?:range|bounds)|RangeError",
        "A list is shorter than the code takes for granted: often too few candles, or an empty answer.",
        "Look at how many candles are asked for, and at what the line does with fewer.",
    ),
    _cause(
        r"NoneType",
        "A value is None where the code needs one: often an indicator before it has enough "
        "candles, or a missing "
        "field.",
        "Look at where the value on that line comes from, and handle that there is none.",
    ),
    _cause(
        r"Cannot read propert(?:y|ies) of (?:undefined|null)|(?:undefined|null) is not|is not a function"
        r"|is not iterable",
        "A value is undefined where the code needs one: often a missing field of the "
        "configuration or of an answer.",
        "Look at where the value on that line comes from, and handle that there is none.",
    ),
    _cause(
        r"ValueError|InvalidOperation|could not convert",
        "A value has another form than the code expects.",
        "Look at the value that the message names, and at where it comes from.",
    ),
    _cause(
        r"MemoryError|heap out of memory|Killed|OOM",
        "The bot used more memory than it has.",
        "Look at how many candles it holds at once.",
        is_outside=True,
    ),
)


def cause_of(trace: Trace) -> Cause:
    """What the error likely comes from."""
    text = trace.headline
    return next((cause for cause in _CAUSES if text and cause.pattern.search(text)), UNKNOWN)
