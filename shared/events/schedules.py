"""Tasks that the server hands in by itself: once at a time, or again and again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Self

from pydantic import Field, model_validator

from shared.clock import now
from shared.events.base import Body, Instant
from shared.events.tasks import TaskRequest
from shared.subjects import Token

LONGEST_ID = 47
"""Characters of a repeating schedule's id: its tasks' ids add a dash and sixteen of an instant."""


class ScheduledTask(Body):
    """A task and when it is handed in; what `task.schedule.<id>` and `task.due.<id>` carry.

    `when` is the server's own pattern: `@at <instant>`, `@every 30m`, `@daily`, or six fields
    of cron with seconds first, in `zone` (an IANA name, UTC without one).
    """

    schedule_id: Token
    when: str = Field(min_length=1, max_length=200)
    request: TaskRequest
    zone: str | None = Field(default=None, max_length=64)
    by: str = Field(default="somebody", max_length=200)
    created_at: Instant = Field(default_factory=now)

    @model_validator(mode="after")
    def _room_for_the_instant(self) -> Self:
        if not self.once and len(self.schedule_id) > LONGEST_ID:
            raise ValueError(f"schedule_id: at most {LONGEST_ID} characters when it repeats")
        return self

    @property
    def once(self) -> bool:
        """Tell whether the schedule ends with its first task."""
        return self.when.startswith("@at ")

    def task(self, fired: datetime) -> TaskRequest:
        """Return the task of one firing; the same firing always gives the same id.

        A schedule that fires once lends the task its own id.
        """
        at = fired.astimezone(UTC)
        name = self.schedule_id if self.once else f"{self.schedule_id}-{at:%Y%m%dT%H%M%SZ}"
        return self.request.model_copy(update={"task_id": name})
