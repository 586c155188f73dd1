"""What the user is told when a model's reply ends in another way than by answering."""

from __future__ import annotations

from shared.messages import FinishReason

# After the text there is, if any.
NOTICES: dict[FinishReason, str] = {
    "safety": "The model's safety filter stopped this reply. Please put the request differently.",
    "max_tokens": "[The reply was cut off at the model's length limit. Ask me to go on.]",
    "malformed_tool_call": "The model asked for a tool in a form that could not be read, twice. "
    "Nothing was run; please try again or put the request differently.",
    "empty": "The model gave no answer, twice. Please try again.",
    "tool_limit": "[The turn used all the tool calls it may; ask me to go on.]",
}

# A second try often helps with these, and costs one call.
WORTH_A_RETRY: frozenset[FinishReason] = frozenset({"malformed_tool_call", "empty"})


def notice_for(reason: FinishReason, text: str) -> str:
    """The sentence to add to the reply's text; empty when the reason needs none."""
    notice = NOTICES.get(reason, "")
    return f"\n\n{notice}" if notice and text else notice
