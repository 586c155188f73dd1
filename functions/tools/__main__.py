"""Commands of the tools function: python -m functions.tools browse --test-url URL."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from shared.tools.port import Dialer, Resolver

_USAGE = "usage: python -m functions.tools browse --test-url URL [--max-chars N] [--start N]"


def main(argv: Sequence[str], *, resolver: Resolver | None = None, dialer: Dialer | None = None) -> int:
    """Runs the command named first; 0 when its answer is yes, 1 when it is no, 2 for wrong arguments."""
    from shared.browsing.command import main as browse

    if not argv or argv[0] != "browse":
        print(_USAGE, file=sys.stderr)
        return 2
    try:
        return browse(argv[1:], resolver=resolver, dialer=dialer)
    except SystemExit as end:
        # argparse ends the process for wrong arguments (2) and for --help (0).
        return end.code if isinstance(end.code, int) else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
