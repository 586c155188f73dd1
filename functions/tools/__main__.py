"""Commands of the tools function: browse and verify."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from shared.tools.port import Dialer, Resolver

_USAGE = """\
usage: python -m functions.tools browse --test-url URL [--max-chars N] [--start N]
       python -m functions.tools verify FOLDER [--json] [--config JSON] [--evidence DIR]"""


def main(argv: Sequence[str], *, resolver: Resolver | None = None, dialer: Dialer | None = None) -> int:
    """Runs the command named first; its exit status, 2 for no such command.

    browse: 0 when its answer is yes, 1 when it is no, 2 for wrong arguments. verify: 0 verified, 1 verified
    with warnings, 2 rejected, 3 not tried.
    """
    if not argv or argv[0] not in ("browse", "verify"):
        print(_USAGE, file=sys.stderr)
        return 2
    try:
        if argv[0] == "verify":
            from shared.verification.command import main as verify

            return verify(argv[1:])
        from shared.browsing.command import main as browse

        return browse(argv[1:], resolver=resolver, dialer=dialer)
    except SystemExit as end:
        # argparse ends the process for wrong arguments (2) and for --help (0).
        return _status_of(end, wrong=3 if argv[0] == "verify" else 2)


def _status_of(end: SystemExit, *, wrong: int) -> int:
    return 0 if end.code in (0, None) else wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
