"""Who gets into NATS: TLS by an authority of one's own, credentials, passwords; and what a refusal says."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.events.nats import NatsPublisher
from shared.events.nats_connection import NatsAccess
from tests.servers.nats import TOKEN, nats_server
from tests.servers.nats_access import credentials_flags, tls_flags
from tests.shared.events.sample import cloud


async def is_let_in(access: NatsAccess) -> bool:
    """Whether a connection is made, and an event published over it."""
    publisher = NatsPublisher(access)
    delivery = await publisher.publish((cloud(0),))
    await publisher.close()
    if delivery.error is None:
        return True
    assert "hunter" not in delivery.error.message
    assert TOKEN not in delivery.error.message
    return False


async def test_tls_by_an_authority_of_ones_own(tmp_path: Path) -> None:
    flags, authority = tls_flags(tmp_path)
    _, another = tls_flags(tmp_path, "another")
    with nats_server(access=("--auth", TOKEN, *flags)) as server:
        url = server.url.replace("nats://", "tls://")
        assert await is_let_in(NatsAccess(servers=(url,), ca_file=authority))
        assert not await is_let_in(NatsAccess(servers=(url,), ca_file=another))
        # The system's authorities know nothing of it.
        assert not await is_let_in(NatsAccess(servers=(url,)))


async def test_a_credentials_file(tmp_path: Path) -> None:
    flags, credentials = credentials_flags(tmp_path)
    (tmp_path / "stranger").mkdir()
    _, strangers = credentials_flags(tmp_path / "stranger")
    with nats_server(access=flags) as server:
        url = f"nats://127.0.0.1:{server.port}"
        assert await is_let_in(NatsAccess(servers=(url,), credentials_file=credentials))
        assert not await is_let_in(NatsAccess(servers=(url,), credentials_file=strangers))
        assert not await is_let_in(NatsAccess(servers=(url,)))
        strangers.write_text("nothing of the kind")
        assert not await is_let_in(NatsAccess(servers=(url,), credentials_file=strangers))


@pytest.mark.parametrize(
    ("userinfo", "expected"),
    [("me:hunter%402", True), ("m%65:hunter%402", True), ("me:hunter2", False), ("me", False)],
)
async def test_user_and_password_percent_encoded_where_needed(userinfo: str, expected: bool) -> None:
    with nats_server(access=("--user", "me", "--pass", "hunter@2")) as server:
        url = f"nats://{userinfo}@127.0.0.1:{server.port}"
        assert await is_let_in(NatsAccess(servers=(url,))) is expected


async def test_a_token_percent_encoded() -> None:
    with nats_server(access=("--auth", "hunter/2")) as server:
        assert await is_let_in(NatsAccess(servers=(f"nats://hunter%2F2@127.0.0.1:{server.port}",)))


async def test_a_representation_shows_no_secret() -> None:
    assert "hunter" not in repr(NatsAccess(servers=("nats://hunter@localhost",)))
