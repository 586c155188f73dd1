"""What the turn engine asks of a reader who checks an answer before the turn ends."""

from __future__ import annotations

from typing import Protocol


class AnswerReview(Protocol):
    """Checks the text of a turn's last reply."""

    async def review(self, answer: str) -> str | None:
        """A short note to put after the answer when something in it is wrong, else None.

        It takes seconds at most and raises nothing: an answer that cannot be checked stands as it is.
        """
        ...
