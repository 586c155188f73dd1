"""What a reader of a page sees: takes invisible characters from text and hidden elements from a page's tree.

An element counts as hidden by its attributes, by an inline style, or by a plain class or id rule of the
page's own style elements. Style sheets in other files are not fetched.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Any

# lxml has no types of its own.
Element = Any

_HIDDEN_CLASSES = {
    "d-none", "invisible", "offscreen", "screen-reader-text", "screen-reader-only", "sr-only",
    "visually-hidden", "visuallyhidden",
}  # fmt: skip
_ZERO = r"-?0*\.?0+(?:px|r?em|pt|%|vw|vh)?"
_FAR = r"-(?:\d{4,}|[5-9]\d\d)(?:\.\d+)?(?:px|pt|r?em|%|vw|vh)?"
_HIDING = re.compile(
    rf"(?:^|;)(?:display:none|visibility:(?:hidden|collapse)|content-visibility:hidden"
    rf"|opacity:0*\.?0\d*%?(?=;|$|!)|font-size:(?:{_ZERO}|[01](?:\.\d+)?px)(?=;|$|!)|(?:max-)?(?:height|width):{_ZERO}(?=;|$|!)"
    rf"|(?:left|top|right|bottom|text-indent|margin-left|margin-top):{_FAR}"
    rf"|clip:rect\(|clip-path:(?:inset\((?:50|100)%|circle\(0|polygon\(0(?:px)?0)"
    rf"|transform:[^;]*(?:scale\(0(?:\.0+)?[,)]|translate[xy]?\({_FAR}))"
)
_COLOR = re.compile(r"(?:^|;)color:([^;!]+)")
_BACKGROUND = re.compile(r"(?:^|;)background(?:-color)?:([^;!]+)")
_RGB = re.compile(r"rgba?\((\d{1,3})[, ](\d{1,3})[, ](\d{1,3})(?:[,/]([\d.]+%?))?\)")
_NAMED = {"white": "ffffff", "black": "000000", "snow": "fffafa", "ivory": "fffff0", "red": "ff0000"}
_RULE = re.compile(r"([^{}]{1,300})\{([^{}]{0,2000})\}")
_SIMPLE_SELECTOR = re.compile(r"(?:[a-z][a-z0-9]*)?([.#])(-?[_a-zA-Z][\w-]*)")
_MAX_CSS = 100_000

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)


def drop_invisible(text: str) -> tuple[str, int]:
    """The text without characters that have no shape (zero-width, bidi controls, tags, variation selectors,
    controls, private use), and how many there were; line ends become `\\n`.
    """
    lines = re.sub("\r\n?|\x0b|\x0c|\x85|\u2028|\u2029", "\n", text)
    return _INVISIBLE.subn("", lines)


def hiding_selectors(css: str) -> frozenset[str]:
    """The `.class` and `#id` selectors that the style sheet hides outright; at-rules are left aside."""
    flat = _without_at_rules(re.sub(r"/\*.*?(?:\*/|$)", "", css[:_MAX_CSS], flags=re.DOTALL))
    found: set[str] = set()
    for selectors, declarations in _RULE.findall(flat):
        if _HIDING.search(_squeezed(declarations)):
            parts = (part.strip() for part in selectors.split(","))
            found.update(m[1] + m[2] for part in parts if (m := _SIMPLE_SELECTOR.fullmatch(part)))
    return frozenset(found)


def _without_at_rules(css: str) -> str:
    """Blocks within blocks belong to at-rules (`@media print`), which hold on some screens only."""
    kept: list[str] = []
    depth, at = 0, False
    for piece in re.split(r"([{};])", css):
        if depth == 0 and piece.lstrip().startswith("@"):
            at = True
        if not at:
            kept.append(piece)
        depth = max(0, depth + {"{": 1, "}": -1}.get(piece, 0))
        if depth == 0 and piece in ("}", ";"):
            at = False
    return "".join(kept)


def is_hidden(element: Element, selectors: frozenset[str]) -> bool:
    """Whether a reader would not see the element."""
    attributes = element.attrib
    if "hidden" in attributes or attributes.get("aria-hidden", "").strip().lower() == "true":
        return True
    classes = attributes.get("class", "").split()
    if not _HIDDEN_CLASSES.isdisjoint(classes):
        return True
    if selectors and _is_selected(attributes.get("id"), classes, selectors):
        return True
    style = _squeezed(attributes.get("style", "")[:2000])
    if style and (_HIDING.search(style) or _is_ink_on_same_ground(element, style)):
        return True
    return element.tag == "font" and _color(attributes.get("color", "")) in ("ffffff", "transparent")


def _is_selected(id_: str | None, classes: list[str], selectors: frozenset[str]) -> bool:
    return (id_ is not None and "#" + id_ in selectors) or any("." + name in selectors for name in classes)


@functools.lru_cache(maxsize=2048)
def _squeezed(style: str) -> str:
    """The declarations in one spelling: lower case, no comments, escapes or needless space."""
    plain = re.sub(r"/\*.*?(?:\*/|$)", "", unicodedata.normalize("NFKC", style), flags=re.DOTALL)
    plain = re.sub(r"\\([0-9a-fA-F]{1,6})\s?", lambda m: _escaped(m[1]), plain).replace("\\", "").lower()
    return re.sub(r"\s*([:;,()!])\s*", r"\1", plain.strip())


def _escaped(digits: str) -> str:
    code = int(digits, 16)
    return chr(code) if 0 < code < 0x110000 else ""


def _is_ink_on_same_ground(element: Element, style: str) -> bool:
    """Text in the colour of its ground: the nearest inline background above it, white where there is none."""
    ink = _COLOR.search(style)
    if ink is None:
        return False
    color = _color(ink[1])
    return color == "transparent" or (color is not None and color == _ground(element, style))


def _ground(element: Element, style: str) -> str:
    for _ in range(20):
        found = _BACKGROUND.search(style)
        if found is not None:
            # A ground that is not a plain colour (an image, a variable) equals no ink.
            return _color(found[1].strip()) or ""
        element = element.getparent()
        if element is None:
            break
        style = _squeezed(element.attrib.get("style", "")[:2000])
    return "ffffff"


def _color(text: str) -> str | None:
    """Six hexadecimal digits, `transparent`, or None for what is not understood."""
    value = text.strip().lower()
    if value in _NAMED:
        return _NAMED[value]
    if value == "transparent":
        return value
    if re.fullmatch(r"#[0-9a-f]{3,4}|#[0-9a-f]{6}|#[0-9a-f]{8}", value):
        digits = value[1:] if len(value) > 5 else "".join(2 * char for char in value[1:])
        return "transparent" if digits[6:] == "00" else digits[:6]
    match = _RGB.fullmatch(value)
    if match is None:
        return None
    if match[4] is not None and float(match[4].rstrip("%.") or 0) == 0:
        return "transparent"
    return "".join(f"{min(int(part), 255):02x}" for part in match.group(1, 2, 3))
