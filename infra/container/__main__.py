"""The image's entry: `python -m infra.container [COMMAND]`.

Without a command it serves the function of FUNCTION_TARGET, or all of them on one port where that is not set.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence

USAGE = """\
usage: python -m infra.container [COMMAND]

  (none)       the function of FUNCTION_TARGET: chat, tools, artifacts, events or nats_bridge; else gateway
  gateway      all functions on PORT
  nats_bridge  the NATS bridge as a process that runs on
  migrate      brings the database of DATABASE_URL to this release's tables
  upkeep       asks a running function for retention, publish or pull (upkeep --help)
  secrets      makes the secrets of compose.yaml where there are none (secrets --help)
"""


def main(arguments: Sequence[str]) -> int:
    """Does what was asked; its exit status, 2 for no such command or target."""
    # The first process of a container is not ended by a signal that it does not handle.
    signal.signal(signal.SIGTERM, _end)
    if not arguments:
        return _serve(os.environ.get("FUNCTION_TARGET", ""))
    command = _COMMANDS.get(arguments[0])
    if command is None:
        sys.stderr.write(USAGE)
        return 2
    return command(arguments[1:])


def _serve(target: str) -> int:
    if not target:
        return _gateway(())
    from infra.container.serve import main as serve

    return serve(target)


def _gateway(_: Sequence[str]) -> int:
    from infra.local.gateway import main as gateway

    return gateway()


def _nats_bridge(_: Sequence[str]) -> int:
    from functions.events.nats_bridge import main as bridge

    return bridge()


def _migrate(_: Sequence[str]) -> int:
    from shared.sessions.migrate import main as migrate

    return migrate()


def _upkeep(arguments: Sequence[str]) -> int:
    from infra.container.upkeep import main as upkeep

    return upkeep(arguments)


def _secrets(arguments: Sequence[str]) -> int:
    from infra.container.secret_files import main as secrets

    return secrets(arguments)


def _end(number: int, _: object) -> None:
    sys.exit(128 + number)


_COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "gateway": _gateway,
    "nats_bridge": _nats_bridge,
    "migrate": _migrate,
    "upkeep": _upkeep,
    "secrets": _secrets,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
