"""Prices of models, and the bound of what a call can cost."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ConfigurationError, ModelRefusedError
from shared.limits.call import most_usage
from shared.limits.prices import LIST_PRICES, ModelPrice, price_of, read_prices
from shared.messages import Message, TextPart, ToolCall, ToolFault, ToolResult, ToolSpec, Usage
from shared.model.gemini_request import request_body
from shared.model.port import ModelRequest
from shared.settings import read_settings

MILLION = 1_000_000


def cost(model: str, input_tokens: int, output_tokens: int) -> int:
    usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
    return price_of(LIST_PRICES, model).micros(usage)


def test_a_million_tokens_cost_the_price() -> None:
    assert cost("gemini-2.5-flash", MILLION, 0) == 300_000
    assert cost("gemini-2.5-flash", 0, MILLION) == 2_500_000
    assert cost("gemini-2.5-flash-lite", MILLION, MILLION) == 500_000


def test_a_fraction_of_a_millionth_is_rounded_up() -> None:
    assert cost("gemini-2.5-flash", 1, 0) == 1
    assert cost("gemini-2.5-flash", 10, 0) == 3
    assert cost("gemini-2.5-flash", 0, 0) == 0


def test_a_long_prompt_has_its_own_price() -> None:
    assert cost("gemini-2.5-pro", 200_000, 1000) == 250_000 + 10_000
    assert cost("gemini-2.5-pro", 200_001, 1000) == 500_003 + 15_000


@pytest.mark.parametrize(
    ("name", "same_as"),
    [
        ("gemini-2.5-flash-001", "gemini-2.5-flash"),
        ("gemini-2.5-flash-lite-001", "gemini-2.5-flash-lite"),
        ("gemini-2.5-pro-preview-06-05", "gemini-2.5-pro"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("projects/p/locations/l/publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro"),
    ],
)
def test_a_release_costs_what_its_model_costs(name: str, same_as: str) -> None:
    assert price_of(LIST_PRICES, name) is LIST_PRICES[same_as]


@pytest.mark.parametrize("name", ["gemini-2.5-flash-image", "gemini-2.5", "gemini-2.5-prodigy", "*", ""])
def test_another_model_has_no_price(name: str) -> None:
    with pytest.raises(ModelRefusedError):
        price_of(LIST_PRICES, name)


def test_the_setting_goes_over_the_list_and_may_price_any_model() -> None:
    prices = read_settings(
        {"MODEL_PRICES": "gemini-2.5-flash=1/2, mine=0.5/1@1000:2/4 ,*=9/9"},
    ).model_prices
    assert prices["gemini-2.5-flash"] == ModelPrice(input=Decimal(1), output=Decimal(2))
    assert prices["gemini-2.5-pro"] == LIST_PRICES["gemini-2.5-pro"]
    assert prices["mine"].micros(Usage(input_tokens=1001)) == 2002
    assert price_of(prices, "unheard-of").input == 9
    assert read_prices({"mine": "0.5/1@1000:2/4"})["mine"] == prices["mine"]
    assert read_settings({}).model_prices == LIST_PRICES


@pytest.mark.parametrize("value", ["mine", "mine=1", "mine=1/2/3", "mine=-1/2", "mine=1/2@x:1/2", "=;"])
def test_a_wrong_price_stops_the_start_and_is_not_shown(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"MODEL_PRICES: .*takes NAME=INPUT/OUTPUT") as caught:
        read_settings({"MODEL_PRICES": value})
    assert value not in caught.value.message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
signatures = st.none() | st.just("c2lnbmF0dXJl")
texts = st.builds(TextPart, text=st.text(max_size=60), signature=signatures)
calls = st.builds(
    ToolCall,
    id=st.sampled_from(["call-1", "t0-call-2"]),
    name=st.just("save_artifact"),
    arguments=st.dictionaries(st.text(max_size=8), json_values, max_size=4),
    signature=signatures,
)
results = st.builds(
    ToolResult,
    id=st.just("call-1"),
    name=st.just("browse_web"),
    status=st.just("ok"),
    result=json_values,
    untrusted=st.booleans(),
)
faults = st.builds(
    ToolResult,
    id=st.just("call-1"),
    name=st.just("browse_web"),
    status=st.just("error"),
    error=st.builds(ToolFault, code=st.just("timeout"), message=st.text(max_size=40)),
)
messages = st.one_of(
    st.builds(Message, role=st.just("user"), parts=st.lists(texts, max_size=3).map(tuple)),
    st.builds(Message, role=st.just("assistant"), parts=st.lists(texts | calls, max_size=4).map(tuple)),
    st.builds(Message, role=st.just("tool"), parts=st.lists(results | faults, max_size=3).map(tuple)),
)
tools = st.builds(
    ToolSpec,
    name=st.sampled_from(["one", "two", "three"]),
    description=st.text(max_size=60),
    input_schema=st.fixed_dictionaries({"properties": st.dictionaries(st.text(max_size=8), json_values)}),
    output_schema=st.just({}),
)


@settings(max_examples=60, deadline=None)
@given(
    system=st.text(max_size=100), said=st.lists(messages, max_size=6), declared=st.lists(tools, max_size=3)
)
def test_no_form_of_a_request_is_longer_than_its_bound(
    system: str, said: list[Message], declared: list[ToolSpec]
) -> None:
    asked = ModelRequest(model="m", system=system, messages=tuple(said), tools=tuple(declared))
    body: dict[str, Any] = request_body(asked)
    del body["safetySettings"]
    bound = most_usage(asked, 7)
    assert bound.output_tokens == 7
    # As the service may write what it reads: other scripts as they are, or escaped.
    assert bound.input_tokens >= len(json.dumps(body["contents"], ensure_ascii=False).encode()) + len(
        json.dumps([body.get("tools"), body.get("systemInstruction")], ensure_ascii=False).encode()
    )
    for content in body["contents"]:
        for part in content["parts"]:
            if "text" not in part:
                assert bound.input_tokens >= len(json.dumps(part))
