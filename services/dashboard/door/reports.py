"""What the other services report; what they said last when they are away, with its age."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from services.dashboard.plain import plain
from services.dashboard.reach import REPORTS, Reach
from services.dashboard.store import Store
from shared.clock import now
from shared.errors import Unavailable
from shared.services import SERVICES


def routes(store: Store, reach: Reach) -> APIRouter:
    """Return `/autonomous/status`, `/optimization/report`, `/sovereignty`."""
    router = APIRouter(tags=["reports"])

    @router.get("/autonomous/status")
    async def autonomous() -> dict[str, Any]:
        """What keeps the system alive: ops' own view, restarts, the latest of its record."""
        await reach.fresh("ops.status")
        body = _known(store, {"ops": "ops.status"})
        return body | _from_beats(store)

    @router.get("/optimization/report")
    async def optimization() -> dict[str, Any]:
        """Efficiency, cache, latencies, advice and savings; 503 when nothing was ever said."""
        await reach.fresh("model.report")
        await reach.fresh("model.savings")
        body = _known(store, {"report": "model.report", "savings": "model.savings"})
        _refuse_nothing(body, ("report", "savings"))
        return body | {"engine": plain(store.engine())}

    @router.get("/sovereignty")
    async def sovereignty() -> dict[str, Any]:
        """How much stays at home, with the parts of the score; 503 when nothing was ever said."""
        await reach.fresh("model.sovereignty")
        body = _known(store, {"sovereignty": "model.sovereignty"})
        _refuse_nothing(body, ("sovereignty",))
        return body | {"engine": plain(store.engine())}

    return router


def _known(store: Store, wanted: dict[str, str]) -> dict[str, Any]:
    """Return each report, its age when it is old, and what is missing with the reason."""
    body: dict[str, Any] = {"at": now().isoformat(), "missing": [], "stale_s": {}}
    for key, subject in wanted.items():
        known = store.reports[subject]
        body[key] = plain(known.value)
        if known.error:
            body["missing"].append({"service": REPORTS[subject].service, "why": known.error})
            if known.value is not None:
                body["stale_s"][key] = round(store.clock() - known.at, 1)
    return body


def _refuse_nothing(body: dict[str, Any], keys: tuple[str, ...]) -> None:
    if all(body[key] is None for key in keys):
        first = body["missing"][0]
        raise Unavailable(f"{first['service']} is away: {first['why']}", retry_after_s=5)


def _from_beats(store: Store) -> dict[str, Any]:
    """Return what the dashboard itself heard of the system's health."""
    at = store.clock()
    up = store.vitals.up(at)
    actions = [plain(event) for event in list(store.ops)[-20:]]
    return {
        "autonomous": store.report("ops.status") is not None and "ops" in up,
        "services_up": up,
        "services_down": [name for name in SERVICES if name not in up],
        "engine": plain(store.engine()),
        "recent": actions[::-1],
    }
