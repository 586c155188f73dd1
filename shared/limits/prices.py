"""What models cost: prices per million tokens, by model name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any

from shared.errors import ModelRefusedError
from shared.messages import Usage

ANY_MODEL = "*"

_FORM = "takes NAME=INPUT/OUTPUT, or NAME=INPUT/OUTPUT@TOKENS:INPUT/OUTPUT for long prompts, comma separated"
_NUMBER = r"\d{1,9}(?:\.\d{1,6})?"
_PRICE = re.compile(rf"({_NUMBER})/({_NUMBER})(?:@(\d{{1,9}}):({_NUMBER})/({_NUMBER}))?")
# A dated or numbered release of a model costs what the model costs; other suffixes name other models.
_RELEASE = re.compile(r"-(?:\d{3}|latest|preview(?:-\d{2}-\d{2}|-\d{2}-\d{4})?)")
_PATHS = re.compile(r"(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/google/)?(?:models/)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPrice:
    """A model's price per million tokens; thoughts are output.

    A call with more than `long_from` input tokens costs `long_input` and `long_output`, all of it.
    """

    input: Decimal
    output: Decimal
    long_from: int | None = None
    long_input: Decimal = Decimal(0)
    long_output: Decimal = Decimal(0)

    def micros(self, usage: Usage) -> int:
        """What the usage costs in millionths of the currency, rounded up."""
        is_long = self.long_from is not None and usage.input_tokens > self.long_from
        asked, said = (self.long_input, self.long_output) if is_long else (self.input, self.output)
        cost = asked * usage.input_tokens + said * usage.output_tokens
        return int(cost.to_integral_value(ROUND_CEILING))


# US dollars, text, standard tier: the public price list of the Gemini API as of January 2026.
LIST_PRICES: Mapping[str, ModelPrice] = {
    "gemini-2.5-pro": ModelPrice(
        input=Decimal("1.25"),
        output=Decimal("10"),
        long_from=200_000,
        long_input=Decimal("2.50"),
        long_output=Decimal("15"),
    ),
    "gemini-2.5-flash": ModelPrice(input=Decimal("0.30"), output=Decimal("2.50")),
    "gemini-2.5-flash-lite": ModelPrice(input=Decimal("0.10"), output=Decimal("0.40")),
}


def read_prices(value: Any) -> dict[str, ModelPrice]:
    """The list prices with those of the setting MODEL_PRICES over them; ValueError tells the form.

    The setting is text, or, in YAML, a mapping of names to `INPUT/OUTPUT…`; `*` is any other model.
    """
    if isinstance(value, str):
        entries = [entry.partition("=") for entry in value.split(",") if entry.strip()]
        value = {name: price for name, _, price in entries}
    if not isinstance(value, Mapping):
        raise ValueError(_FORM)
    return {**LIST_PRICES, **{str(name).strip(): _price(price) for name, price in value.items()}}


def price_of(prices: Mapping[str, ModelPrice], model: str) -> ModelPrice:
    """The price of a model by its name, that of the model it is a release of, or that of `*`.

    Raises:
        ModelRefusedError: it has none, so that what a call costs cannot be bounded.
    """
    name = _PATHS.sub("", model, count=1)
    base = max((known for known in prices if _is_release(name, known)), key=len, default=ANY_MODEL)
    price = prices.get(base)
    if price is None:
        raise ModelRefusedError(f"No price is set for the model {model}, so it cannot be used here.")
    return price


def _is_release(name: str, known: str) -> bool:
    return name == known or (name.startswith(known) and _RELEASE.fullmatch(name, len(known)) is not None)


def _price(value: Any) -> ModelPrice:
    if isinstance(value, ModelPrice):
        return value
    found = _PRICE.fullmatch(str(value).strip())
    if found is None:
        raise ValueError(_FORM)
    asked, said, long_from, long_asked, long_said = found.groups()
    try:
        return ModelPrice(
            input=Decimal(asked),
            output=Decimal(said),
            long_from=int(long_from) if long_from else None,
            long_input=Decimal(long_asked or 0),
            long_output=Decimal(long_said or 0),
        )
    except InvalidOperation as error:
        raise ValueError(_FORM) from error
