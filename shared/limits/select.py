"""Settings to limits: what of them there is, and on what store."""

from __future__ import annotations

from functools import partial

from shared.clock import Clock
from shared.ids import NewId
from shared.limits.key_file import file_keyring
from shared.limits.keys import UserKeys
from shared.limits.meter import Meter
from shared.limits.own_models import OwnModels
from shared.limits.source import UserModels
from shared.limits.streams import OpenStreams
from shared.limits.turns import Permits, TurnLimits
from shared.model.port import ChatModel
from shared.model.select import open_own_model
from shared.sessions.account_port import DailyLimits, NamedLeases, UsageLedger, UserSecrets
from shared.settings import Settings

_MICROS = 1_000_000


def open_user_keys(settings: Settings, secrets: UserSecrets, clock: Clock) -> UserKeys:
    """The users' own model keys.

    Without ENCRYPTION_KEYS they are encrypted by a key file where there is one installation with one disk:
    not in the cloud, with the embedded database. Elsewhere none is stored.
    """
    is_embedded = settings.k_service is None and settings.database.startswith("sqlite")
    return UserKeys(
        secrets=secrets,
        store_encrypts=settings.encryption_keys is not None,
        open_file_keyring=partial(file_keyring, settings.data_dir) if is_embedded else None,
        clock=clock,
    )


def open_user_models(
    settings: Settings,
    *,
    deployment: ChatModel,
    keys: UserKeys,
    ledger: UsageLedger,
    clock: Clock,
    new_id: NewId,
) -> UserModels:
    """The models of users' turns; the caller closes it, and the deployment's model after it."""
    limits = daily_limits(settings)
    meter = None
    if limits is not None:
        meter = Meter(
            ledger=ledger,
            limits=limits,
            prices=None if limits.micros is None else settings.model_prices,
            max_output_tokens=settings.max_output_tokens,
            clock=clock,
            new_id=new_id,
        )
    return UserModels(
        deployment=deployment, keys=keys, own=OwnModels(partial(open_own_model, settings)), meter=meter
    )


def open_turn_limits(
    settings: Settings, *, permits: Permits, ledger: UsageLedger, models: UserModels, clock: Clock
) -> TurnLimits:
    """What is asked before each turn; `permits` is the ledger itself, or what counts faster."""
    return TurnLimits(
        permits=permits,
        usage=ledger,
        turns_per_minute=settings.turns_per_minute,
        daily=daily_limits(settings),
        pays_self=models.pays_self,
        clock=clock,
    )


def open_streams(settings: Settings, *, leases: NamedLeases, clock: Clock, new_id: NewId) -> OpenStreams:
    """The count of open streams; the caller closes it."""
    return OpenStreams(leases=leases, most=settings.max_open_streams, clock=clock, new_id=new_id)


def daily_limits(settings: Settings) -> DailyLimits | None:
    """The budget of a user's day; None when there is none, or when the offline planner answers."""
    cost = settings.daily_cost_limit
    if settings.provider == "offline" or (cost is None and settings.daily_token_limit is None):
        return None
    return DailyLimits(
        tokens=settings.daily_token_limit, micros=None if cost is None else int(cost * _MICROS)
    )
