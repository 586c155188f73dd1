"""Bots to deploy."""

from __future__ import annotations

from functools import cache
from typing import Any

from shared.tools.templates.catalog import STRATEGIES
from shared.tools.templates.render import Bot, render_bot

CONFIG = """\
name: tiny-bot
description: Says hello
version: 1.2.3
author: alice
type: realtime
runtime: python3.11
entrypoints:
  bot: main.py
schema:
  bot: bot-schema.json
readme: README.md
metadata:
  tags: [hello, tiny]
"""
SCHEMA = (
    b'{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object",'
    b' "properties": {"symbol": {"type": "string", "default": "BTC/USDT"}}}'
)


def tiny_bot(**files: bytes | None) -> dict[str, bytes]:
    """A bot of one module; `files` by name (`__` for a dot) replace its own, None leaves one out."""
    own: dict[str, Any] = {
        "bot-config.yaml": CONFIG.encode(),
        "bot-schema.json": SCHEMA,
        "README.md": b"# Tiny bot\n\nIt says hello on every run, and that is all that it ever does.\n",
        "main.py": b'print("hello")\n',
    }
    own |= {name.replace("__", "."): data for name, data in files.items()}
    return {name: data for name, data in own.items() if data is not None}


def with_config(old: str, new: str) -> dict[str, bytes]:
    """The tiny bot with another configuration."""
    assert old in CONFIG
    return tiny_bot() | {"bot-config.yaml": CONFIG.replace(old, new).encode()}


@cache
def template_bot() -> dict[str, bytes]:
    """A bot as our templates make it: several modules, tests, data."""
    strategy = STRATEGIES["rsi_momentum"]
    return render_bot(
        Bot(name="rsi-bot", strategy=strategy, parameters=strategy.model(), bot_type="scheduled")
    )
