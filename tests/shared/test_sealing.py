"""Sealed values: what opens them, what does not, and which keys a setting gives."""

from __future__ import annotations

import base64
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConfigurationError, InternalError
from shared.sealing import Keyring
from shared.settings import read_settings

ONE, TWO = bytes(range(32)), bytes(range(32, 64))
PLAIN = b'{"schema_version":1,"value":"the user\'s own words"}'


def text(key: bytes) -> str:
    return base64.b64encode(key).decode()


@given(st.binary(), st.text(st.characters(codec=None)))
def test_what_was_sealed_opens_for_its_owner(plain: bytes, owner: str) -> None:
    keyring = Keyring((ONE,))
    sealed = keyring.seal(plain, owner)
    assert keyring.open(sealed, owner) == plain
    assert len(sealed) == len(plain) + 33
    if len(plain) > 8:
        assert plain not in sealed


def test_the_same_value_is_never_sealed_alike() -> None:
    keyring = Keyring((ONE,))
    assert len({keyring.seal(PLAIN, "alice") for _ in range(100)}) == 100


def test_it_opens_for_nobody_else() -> None:
    keyring = Keyring((ONE,))
    sealed = keyring.seal(PLAIN, "alice")
    for owner in ("bob", "", "Alice", "alice\x00"):
        with pytest.raises(InternalError):
            keyring.open(sealed, owner)


def test_any_flipped_bit_and_any_cut_is_noticed() -> None:
    keyring = Keyring((ONE,))
    sealed = keyring.seal(PLAIN, "alice")
    # With another first byte it is no sealed value, nor JSON: the codec notices.
    for place in range(1, len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[place] ^= 1 << bit
            with pytest.raises(InternalError) as caught:
                keyring.open(bytes(changed), "alice")
            assert "words" not in str(caught.value)
    for length in range(1, len(sealed)):
        with pytest.raises(InternalError):
            keyring.open(sealed[:length], "alice")


def test_a_new_first_key_seals_and_the_old_one_still_opens() -> None:
    old, both, new = Keyring((ONE,)), Keyring((TWO, ONE)), Keyring((TWO,))
    before = old.seal(PLAIN, "alice")
    assert both.open(before, "alice") == PLAIN
    assert not both.is_current(before)
    after = both.seal(PLAIN, "alice")
    assert both.is_current(after)
    assert new.open(after, "alice") == PLAIN
    with pytest.raises(InternalError, match="ENCRYPTION_KEYS"):
        old.open(after, "alice")
    with pytest.raises(InternalError, match="ENCRYPTION_KEYS"):
        new.open(before, "alice")


def test_without_keys_values_stay_as_they_are_and_sealed_ones_do_not_open() -> None:
    none, keyring = Keyring(), Keyring((ONE,))
    assert none.is_empty
    assert not keyring.is_empty
    assert none.seal(PLAIN, "alice") == PLAIN
    assert none.open(PLAIN, "alice") == PLAIN
    assert keyring.open(PLAIN, "alice") == PLAIN
    assert none.is_current(PLAIN)
    assert not keyring.is_current(PLAIN)
    with pytest.raises(InternalError, match="ENCRYPTION_KEYS"):
        none.open(keyring.seal(PLAIN, "alice"), "alice")


@pytest.mark.parametrize(
    "setting",
    [
        text(ONE),
        f" {text(ONE)} , {text(TWO)},",
        base64.urlsafe_b64encode(ONE).decode().rstrip("="),
        f"{text(ONE)},{text(ONE)}",
    ],
)
def test_the_setting_takes_base64_of_either_alphabet(setting: str) -> None:
    assert Keyring.of(setting).open(Keyring((ONE,)).seal(PLAIN, "alice"), "alice") == PLAIN


def test_keys_as_the_usual_commands_print_them() -> None:
    for _ in range(50):
        assert not Keyring.of(secrets.token_urlsafe(32)).is_empty
        assert not Keyring.of(base64.b64encode(secrets.token_bytes(32)).decode()).is_empty


@pytest.mark.parametrize(
    "setting",
    [
        "",
        " , ",
        "short",
        text(ONE[:16]),
        text(ONE + TWO),
        text(ONE)[:-4],
        "ä" * 44,
        f"{text(ONE)},x",
        "!" * 44,
    ],
)
def test_a_setting_that_is_no_key_is_refused_without_telling_it(setting: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Keyring.of(setting)
    assert caught.value.message.startswith("ENCRYPTION_KEYS: takes")
    assert text(ONE) not in caught.value.message
    assert caught.value.__cause__ is None
    if setting:
        with pytest.raises(ConfigurationError, match=r"^ENCRYPTION_KEYS: .*takes keys") as caught:
            read_settings({"ENCRYPTION_KEYS": setting})
        assert text(ONE) not in caught.value.message


def test_no_setting_is_no_key() -> None:
    assert Keyring.of(None).is_empty


def test_signing_keys_differ_by_purpose_and_key_and_follow_the_rotation() -> None:
    both = Keyring((TWO, ONE))
    assert both.signing_keys("approvals") == (
        *Keyring((TWO,)).signing_keys("approvals"),
        *Keyring((ONE,)).signing_keys("approvals"),
    )
    assert set(both.signing_keys("approvals")).isdisjoint(both.signing_keys("cursors"))
    assert set(both.signing_keys("approvals")).isdisjoint({ONE, TWO})
    assert Keyring().signing_keys("approvals") == ()
