"""Which of a bot's own code never ran: what the runtimes write down of a run, in one form."""

from shared.verification.coverage.reports import COVERAGE_FOLDER, never_ran

__all__ = ["COVERAGE_FOLDER", "never_ran"]
