"""The code of what a reading is refused with."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from shared.errors import ToolError


async def code_of(reading: Awaitable[object]) -> str:
    with pytest.raises(ToolError) as caught:
        await reading
    return caught.value.tool_code
