"""Every error of ours has a code, a status and a place in the tree."""

from __future__ import annotations

import re

from shared import errors
from shared.errors import AppError, ToolError
from shared.web.errors import problem_response


def _all(kind: type[AppError]) -> list[type[AppError]]:
    return [kind, *(sub for child in kind.__subclasses__() for sub in _all(child))]


def test_codes_are_stable_words_and_statuses_fit() -> None:
    for kind in _all(AppError):
        assert re.fullmatch(r"[a-z0-9_]+", kind.code), kind
        assert 400 <= kind.http_status <= 599, kind
        assert kind.__doc__, kind


def test_the_tree_in_the_docstring_names_every_error() -> None:
    drawn = errors.__doc__ or ""
    for kind in _all(AppError):
        assert kind.__name__ in drawn, kind.__name__


def test_an_error_becomes_a_problem_with_retry_after_where_it_helps() -> None:
    on_the_wire = [kind for kind in _all(AppError) if not issubclass(kind, ToolError)]
    for kind in on_the_wire:
        response = problem_response(kind("why", retry_after=1.2), instance="/x", request_id="r")
        assert response.status_code == kind.http_status
        assert response.headers["retry-after"] == "2"
    assert "retry-after" not in problem_response(AppError("x"), instance="/", request_id="r").headers
