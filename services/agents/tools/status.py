"""`read_status`: how this system is doing, asked of the rooms that know."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from services.agents.excerpt import cut
from services.agents.tools.tool import RESULT_CHARS, Bench, Found, Tool, arguments, mentions
from shared.events.models import EngineStatus
from shared.events.ops import OpsStatus
from shared.events.reports import Empty, OptimizationReport, Savings

SUBJECTS: dict[str, tuple[str, type[BaseModel]]] = {
    "services": ("ops.status", OpsStatus),
    "engine": ("model.status", EngineStatus),
    "performance": ("model.report", OptimizationReport),
    "savings": ("model.savings", Savings),
}
"""What may be asked for: the subject, and the body of its answer."""


async def read(bench: Bench, given: dict[str, Any]) -> Found:
    """Return one room's figures as JSON, without what is empty."""
    subject, body = SUBJECTS[given["what"]]
    reply = await bench.bus.request(subject, Empty(), body)
    return Found(cut(reply.model_dump_json(exclude_defaults=True), RESULT_CHARS))


READ_STATUS = Tool(
    name="read_status",
    description="Read the present figures of this system.",
    parameters=arguments(
        ["what"],
        what={"type": "string", "enum": list(SUBJECTS), "description": "which figures"},
    ),
    effect="pure",
    run=read,
    fits=mentions(
        "status", "health", "metric", "service", "engine", "router", "performance", "latency",
        "savings", "cost", "cache", "sovereign", "dienst", "leistung", "kosten",
    ),
)  # fmt: skip
