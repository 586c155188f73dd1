"""What every contender asks the model: the same system prompt, the same words."""

from __future__ import annotations

from shared.agent.prompt import system_prompt

MODEL = "gemini-2.5-flash"
MESSAGE = "Explain in a few words what a moving average crossover is and when it fails."
SYSTEM = system_prompt({})
