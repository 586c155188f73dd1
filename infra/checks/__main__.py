"""`python -m infra.checks`: one line for each problem; 1 when there is one."""

from __future__ import annotations

import sys

from infra.checks.run import check_all


def main() -> int:
    """Prints what is wrong."""
    problems = check_all()
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    sys.stderr.write(f"infra: {len(problems)} problems\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
