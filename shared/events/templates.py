"""Named plans for common requests."""

from __future__ import annotations

from shared.events.base import Body
from shared.events.tasks import PlanStep


class TemplateInfo(Body):
    """One named plan: what it is for, and its steps."""

    name: str
    description: str
    steps: tuple[PlanStep, ...]


class TemplateList(Body):
    """The answer of `agent.templates`."""

    templates: tuple[TemplateInfo, ...] = ()
