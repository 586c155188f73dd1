"""Whether the process of this container works: exit status 0 when `GET /health` on PORT is no failure.

A program of its own, so that asking every half minute costs no import of the agent.
"""

import os
import sys
import urllib.error
import urllib.request

_SECONDS = 5


def main() -> int:
    """0 healthy or degraded, 1 unhealthy or no answer; says why not."""
    url = f"http://127.0.0.1:{os.environ.get('PORT') or '8080'}/health"
    # Whatever proxy is set is for the way out.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        # The address is this machine's own.
        with opener.open(url, timeout=_SECONDS) as answer:
            return 0 if answer.status == 200 else 1
    except (urllib.error.URLError, OSError) as error:
        sys.stderr.write(f"{url}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
