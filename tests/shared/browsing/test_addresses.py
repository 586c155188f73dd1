"""Which addresses are public, and the system's resolver."""

from __future__ import annotations

import asyncio
import socket

import pytest

from shared.browsing.addresses import is_public
from shared.browsing.resolver import SystemResolver

PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "93.184.216.34",
    "2606:4700::6810:84e5",
    "2a00:1450:4001::1",
    "64:ff9b::808:808",
]
REFUSED = [
    "0.0.0.0", "0.1.2.3", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
    "127.255.255.254", "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255",
    "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.251", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:8.8.8.8",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808", "100::1", "2001::1",
    "2001:0:808:808::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:808:808::1", "2002:7f00:1::",
    "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "2606:4700::1%1",
    "fec0::1", "ff02::1", "", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "8.8.8.8/32", "[::1]",
    " 8.8.8.8", "08.8.8.8",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address: str) -> None:
    assert is_public(address)
    assert SystemResolver().is_allowed(address)


@pytest.mark.parametrize("address", REFUSED)
def test_all_others_are_refused(address: str) -> None:
    assert not is_public(address)


async def test_the_system_resolves_each_address_once() -> None:
    found = await SystemResolver().resolve("localhost", 443)
    assert set(found) <= {"127.0.0.1", "::1"}
    assert len(set(found)) == len(found) > 0


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".test", "x..y"])
async def test_an_unknown_name_is_an_os_error(host: str) -> None:
    with pytest.raises(OSError, match=r".*"):
        await SystemResolver().resolve(host, 443)


async def test_a_name_service_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*_: object, **__: object) -> list[object]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", hang)
    with pytest.raises(OSError, match=r".*"):
        await SystemResolver(timeout=0.05).resolve("docs.test", 443)


async def test_a_name_without_addresses_is_an_os_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object, **__: object) -> list[tuple[socket.AddressFamily, ...]]:
        return []

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nothing)
    with pytest.raises(OSError, match="no address"):
        await SystemResolver().resolve("docs.test", 443)
