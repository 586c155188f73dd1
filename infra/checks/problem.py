"""What a check finds, and the errors by which reading stops."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """Something that is wrong, and where: a file with its line, or the address of a resource."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class ConfigurationProblem(Exception):
    """Stops the reading of a configuration: what comes after could not be trusted."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}")
        self.problem = Problem(where, message)
