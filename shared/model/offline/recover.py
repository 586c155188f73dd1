"""The session's bot read back from its files, when the history no longer holds how it was built."""

from __future__ import annotations

import json
from typing import Any

from shared.model.offline.conversation import Bot, Conversation
from shared.model.offline.phrases import COMMON_NAMES, OWN_NAMES

CONFIG_FILE = "bot-config.yaml"
SCHEMA_FILE = "bot-schema.json"
# The files and how many characters of them are wanted; the schema is the longer one.
READ_CALLS = ((CONFIG_FILE, 6_000), (SCHEMA_FILE, 20_000))


def bot_from_files(conversation: Conversation) -> Bot | None:
    """The bot that this turn's reads of bot-config.yaml and bot-schema.json show; None when they do not."""
    texts = {
        done.value.get("filename"): done.value.get("content")
        for done in conversation.of("read_artifact")
        if isinstance(done.value.get("content"), str)
    }
    config, parameters = _config(texts.get(CONFIG_FILE)), _defaults(texts.get(SCHEMA_FILE))
    metadata = config.get("metadata")
    strategy = metadata.get("strategy") if isinstance(metadata, dict) else None
    if strategy not in OWN_NAMES:
        strategy = _strategy_of(parameters)
    if strategy is None or not parameters:
        return None
    known = COMMON_NAMES | OWN_NAMES[strategy]
    name, bot_type = config.get("name"), config.get("type")
    return Bot(
        strategy=strategy,
        name=name if isinstance(name, str) else None,
        bot_type=bot_type if bot_type in ("scheduled", "realtime") else None,
        parameters={key: value for key, value in parameters.items() if key in known},
        asked={},
        language="nodejs" if config.get("runtime") == "nodejs20" else "python",
    )


def _config(text: Any) -> dict[str, Any]:
    if not isinstance(text, str):
        return {}
    # Needed only here, and slow to import.
    import yaml

    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _defaults(text: Any) -> dict[str, Any]:
    """The defaults of the schema's properties."""
    if not isinstance(text, str):
        return {}
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    properties = loaded.get("properties") if isinstance(loaded, dict) else None
    if not isinstance(properties, dict):
        return {}
    return {
        name: field["default"]
        for name, field in properties.items()
        if isinstance(field, dict) and "default" in field
    }


def _strategy_of(parameters: dict[str, Any]) -> str | None:
    """The strategy whose own parameters the schema has, of several that fit equally the one with most."""
    counts = {strategy: len(names & set(parameters)) / len(names) for strategy, names in OWN_NAMES.items()}
    best = max(counts.values())
    fitting = [strategy for strategy, count in counts.items() if count == best]
    most = max(len(OWN_NAMES[strategy]) for strategy in fitting)
    leaders = [strategy for strategy in fitting if len(OWN_NAMES[strategy]) == most]
    return leaders[0] if best > 0.5 and len(leaders) == 1 else None
