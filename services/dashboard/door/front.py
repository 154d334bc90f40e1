"""The door as it is served: foreign pages are refused first, then those who may not come in."""

from __future__ import annotations

from starlette.types import ASGIApp

from services.dashboard.access.entry import Entry
from services.dashboard.door.build import House
from services.dashboard.door.guard import Guard


def front(app: ASGIApp, parts: House) -> Guard:
    """Return the whole application, guarded."""
    settings = parts.settings.dashboard
    own = () if settings.host in ("0.0.0.0", "::") else (settings.host,)  # noqa: S104 - compared
    return Guard(Entry(app, parts.gate, settings), (*settings.hosts, *own))
