"""A change of JWT_SECRET by way of JWT_SECOND_SECRET: what holds at each of its steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import jwt
import pytest

from shared.errors import UnauthenticatedError
from shared.resources import Resources
from shared.settings import Settings, read_settings
from shared.verification.seal import RecordSeal
from shared.web.auth import Authenticator, Credential
from shared.web.service_token import SERVICE, check_service, user_credentials

OLD, NEW, OTHER = (f"{name} secret of thirty-two bytes or more" for name in ("old", "new", "other"))


def with_secrets(secret: str, previous: str = "") -> Settings:
    """A function's settings at one step of the change."""
    return read_settings({"AUTH_MODE": "jwt", "JWT_SECRET": secret, "JWT_SECOND_SECRET": previous})


BEFORE, READY = with_secrets(OLD), with_secrets(OLD, NEW)
AMID, AFTER = with_secrets(NEW, OLD), with_secrets(NEW)
STEPS = (BEFORE, READY, AMID, AFTER)


def user_token(secret: str, *, expired: bool = False) -> str:
    end = datetime.now(UTC) + timedelta(hours=-1 if expired else 1)
    return jwt.encode({"sub": "alice", "exp": end}, secret, algorithm="HS256")


async def user_of(settings: Settings, token: str) -> str:
    return await Authenticator(settings).user_by(Credential("bearer", token))


async def test_tokens_of_users_hold_through_the_change() -> None:
    for settings, secrets in ((BEFORE, (OLD,)), (READY, (OLD, NEW)), (AMID, (NEW, OLD)), (AFTER, (NEW,))):
        for secret in secrets:
            assert await user_of(settings, user_token(secret)) == "alice"
    for settings, token in (
        (AFTER, user_token(OLD)),
        (AMID, user_token(OTHER)),
        (AMID, user_token(OLD, expired=True)),
        (AMID, jwt.encode({"sub": "alice", "exp": 2**33}, "", algorithm="none")),
    ):
        with pytest.raises(UnauthenticatedError, match="does not hold"):
            await user_of(settings, token)


async def test_services_before_and_after_the_change_believe_each_other() -> None:
    async def token_of(settings: Settings) -> str:
        headers = await user_credentials(settings, lambda: datetime.now(UTC))(None)
        return headers["authorization"].removeprefix("Bearer ")

    # While processes are restarted one by one, those of two neighbouring steps call each other.
    for one, next_one in pairwise(STEPS):
        assert check_service(one, await token_of(next_one)) == SERVICE
        assert check_service(next_one, await token_of(one)) == SERVICE
    with pytest.raises(UnauthenticatedError):
        check_service(AFTER, await token_of(BEFORE))


async def test_signed_records_hold_through_the_change() -> None:
    async def seal_of(settings: Settings) -> RecordSeal:
        return await Resources(settings).record_seal()

    record = (await seal_of(BEFORE)).signed(
        {"schema_version": 1, "artifacts_sha256": "x", "verdict": "verified"}
    )
    unsigned = "was not written by a verification here"
    found = {
        name: (await seal_of(settings)).state_of(artifacts_sha256="y", record=record).reason
        for name, settings in (("before", BEFORE), ("amid", AMID), ("after", AFTER))
    }
    assert unsigned not in found["before"]
    assert found["amid"] == found["before"]
    assert unsigned in found["after"]


def test_the_previous_secret_alone_opens_nothing() -> None:
    settings = read_settings({"JWT_SECOND_SECRET": OLD})
    with pytest.raises(UnauthenticatedError):
        check_service(settings, user_token(OLD))
    assert settings.jwt_secrets == ()
