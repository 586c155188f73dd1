"""The base of wire models."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class WireModel(BaseModel):
    """A JSON body or answer; its validator is built at first use, as a function's start must not wait."""

    model_config = ConfigDict(defer_build=True)
