"""Where events go by the settings."""

from __future__ import annotations

import pytest

from shared.clock import utc_now
from shared.errors import ConfigurationError
from shared.events.catalog import KINDS, is_for_agent, is_heard_by_agent
from shared.events.select import open_publishers, waits_for_nobody
from shared.settings import read_settings


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        ({}, ["events function"]),
        ({"NATS_URL": "nats://a:4222, tls://token@b:4222"}, ["nats", "events function"]),
        ({"PUBSUB_PROJECT": "p"}, ["pubsub"]),
        ({"PUBSUB_PROJECT": "p", "NATS_URL": "nats://a"}, ["nats", "pubsub"]),
    ],
)
def test_each_broker_that_is_configured_gets_its_events(variables: dict[str, str], names: list[str]) -> None:
    settings = read_settings(variables)
    publishers = open_publishers(settings, utc_now)
    assert [each.name for each in publishers] == names
    assert waits_for_nobody(settings) is (names == ["events function"])
    for kind in KINDS:
        takers = [each.name for each in publishers if each.takes(kind.type)]
        if is_for_agent(kind.type):
            assert len(takers) == 1
            assert "nats" not in takers
        else:
            # Without a broker the events function still hears what it makes something of.
            is_bus = names == ["events function"] and is_heard_by_agent(kind.type)
            assert takers == (names if is_bus else [name for name in names if name != "events function"])


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("NATS_URL", "http://a"),
        ("NATS_URL", "nats://a,b"),
        ("PUBSUB_EVENTS_TOPIC", "projects/p/topics/t"),
        ("EVENTS_URL", "ftp://a"),
        ("EVENTS_URL", "http://user@a/events"),
    ],
)
def test_a_wrong_setting_is_named_and_not_quoted(variable: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_settings({variable: value})
    assert variable in raised.value.message
    assert value not in raised.value.message


def test_servers_and_the_place_of_the_events_function() -> None:
    settings = read_settings({"NATS_URL": "nats://a, nats://b"})
    assert settings.nats_servers == ("nats://a", "nats://b")
    assert read_settings({"PORT": "9000"}).own_events_url == "http://127.0.0.1:9000/events"
    assert read_settings({"EVENTS_URL": "https://e/events"}).own_events_url == "https://e/events"
