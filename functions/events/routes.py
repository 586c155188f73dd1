"""What the events function serves."""

from __future__ import annotations

from shared.web.endpoint import Endpoint
from shared.web.system import SYSTEM_ROUTES, function_app

ROUTES: tuple[Endpoint, ...] = (*SYSTEM_ROUTES,)

app = function_app(ROUTES)
