"""What functions use, read from their code."""

from __future__ import annotations

from infra.checks.code.opened import calls, modules, opened, reaches


def test_what_functions_open_is_read_from_their_code() -> None:
    assert {"store", "objects", "relay", "redis", "deployer"} <= opened("artifacts")
    assert not {"engine", "model", "tools", "bridge"} & opened("artifacts")
    assert {"engine", "model", "tools", "deployer", "open_streams"} <= opened("chat")
    assert not {"tools", "deployer", "sandbox"} & opened("chat", tools_apart=True)
    assert "tools" in opened("tools")
    assert "engine" not in opened("tools")
    assert opened("nats_bridge") >= {"bridge", "nats_publisher"}
    assert not {"store", "objects", "relay"} & opened("nats_bridge")


def test_evidence_is_read_from_imports_and_calls() -> None:
    assert "functions.events.publishing" in modules("events")
    # The bridge takes constants from there, and none of its code.
    assert "functions.events.publishing" not in modules("nats_bridge")
    assert reaches("artifacts", "shared.artifacts.deleting")
    assert reaches("chat", "shared.artifacts.deleting")
    assert not reaches("tools", "shared.artifacts.deleting")
    assert calls("artifacts", "direct_url")
    assert not calls("tools", "direct_url")
