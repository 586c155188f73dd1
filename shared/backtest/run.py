"""A whole backtest: walk, book again outside, measure, check."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from shared.backtest.account import Account, map_length
from shared.backtest.checks.over_fitting import Variation
from shared.backtest.checks.parameters import combinations, tunable_parameters
from shared.backtest.crashes import judge_crash, no_form
from shared.backtest.protocol import ANSWER_FILE, Crash, TaskAnswer, make_job, read_answers
from shared.backtest.request import BacktestRequest
from shared.backtest.result import Backtest
from shared.errors import ToolInputError
from shared.sandbox.port import Sandbox

WALK_SECONDS, CHECK_SECONDS = 30.0, 45.0


async def run_backtest(
    sandbox: Sandbox, request: BacktestRequest, *, decisions_only: bool = False
) -> Backtest:
    """The backtest of a bot of our form; a bot that fails is a result, not an error.

    `decisions_only` leaves out what takes most walks: the map of parameters and other costs.

    Raises:
        ToolInputError: the bot has no strategy of our form (its details then hold `no_form`), refuses the
            configuration, or needs candles that are not there.
        SandboxUnavailableError: nothing here isolates code well enough.
    """
    if request.runtime is None:
        raise no_form()
    started = time.perf_counter()
    (walk,) = await _answers(sandbox, request, [{"kind": "run"}], seconds=WALK_SECONDS)
    if walk.form is None:
        _refuse(request, walk)
        return _failed(sandbox, request, walk, time.perf_counter() - started)
    account = await asyncio.to_thread(Account.of, request, walk)
    if decisions_only:
        variations: list[Variation] | None = None
        tasks = account.decision_tasks()
        checks = await _answers(sandbox, request, tasks, seconds=CHECK_SECONDS)
    else:
        tasks = [*account.decision_tasks(), *account.cost_tasks()]
        checks, variations = await asyncio.gather(
            _answers(sandbox, request, tasks, seconds=CHECK_SECONDS),
            _variations(sandbox, request, account),
        )
    outcome = await asyncio.to_thread(account.outcome)
    results = await asyncio.to_thread(account.judge, outcome, checks, variations)
    return Backtest(
        request=request,
        symbols=account.symbols,
        needed=account.needed,
        outcome=outcome,
        crash=walk.crash,
        checks=results,
        isolation=sandbox.isolation,
        seconds=time.perf_counter() - started,
    )


def _refuse(request: BacktestRequest, walk: TaskAnswer) -> None:
    """Raises ToolInputError where the caller can mend why a walk did not begin."""
    if walk.crash is None:
        return
    said = walk.crash.error.partition(": ")[2]
    if walk.crash.kind == "config":
        raise ToolInputError(f"config: the bot refuses it: {said}")
    if walk.crash.kind == "candles":
        raise ToolInputError(f"{request.candles.source}: {said}")
    if walk.crash.kind == "form":
        raise no_form(said)


async def _variations(sandbox: Sandbox, request: BacktestRequest, account: Account) -> list[Variation]:
    """The map of parameters, on the newest candles that its bound allows."""
    configs = combinations(tunable_parameters(request.files, request.config))
    if len(configs) < 2:
        return []
    count = map_length(request, len(configs))
    start = len(request.candles) - count
    tasks = [{"kind": "run", "from": start, "config": config} for config in configs]
    answers = await _answers(sandbox, request, tasks, seconds=CHECK_SECONDS)

    def booked() -> list[Variation]:
        made = []
        for config, answer in zip(configs, answers, strict=True):
            booking = account.book(answer, candles=count)
            made.append(Variation(config=config, equity=booking.equity if booking else None))
        return made

    return await asyncio.to_thread(booked)


async def _answers(
    sandbox: Sandbox, request: BacktestRequest, tasks: Sequence[dict[str, Any]], *, seconds: float
) -> list[TaskAnswer]:
    """The answers of the tasks; one that the sandbox ended has a crash that says so."""
    job = await asyncio.to_thread(make_job, request, tasks, seconds=seconds)
    run = await sandbox.run(job=job)
    answers = await asyncio.to_thread(read_answers, run.files.get(ANSWER_FILE, b""), len(tasks))
    if run.exit_code != 0 or run.limit is not None:
        said = run.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
        reason = f"the {run.limit} limit of the sandbox" if run.limit else (said or f"exit {run.exit_code}")
        for answer in answers:
            if answer.end is None and answer.crash is None:
                answer.crash = Crash(reason, "", None, limit=run.limit)
    return answers


def _failed(sandbox: Sandbox, request: BacktestRequest, walk: TaskAnswer, seconds: float) -> Backtest:
    crash = judge_crash(walk, request.candles.times)
    assert crash is not None
    return Backtest(
        request=request,
        symbols=request.candles.symbols,
        needed=0,
        outcome=None,
        crash=walk.crash,
        checks=(crash,),
        isolation=sandbox.isolation,
        seconds=seconds,
    )
