"""Getting a plan into the journal: by rule, else by a model whose answers are kept, else fixed."""

from __future__ import annotations

import time

from services.agents.calls import FAILURES
from services.agents.context import beside, known_for
from services.agents.planning import fallback_plan, plan_by_rule, plan_request, read_plan
from services.agents.record import TaskRecord
from services.agents.room import Room
from shared.errors import OutputInvalid, SovereignError
from shared.events.journal import ModelAnswered, TaskPlanned
from shared.events.models import ChatReply
from shared.events.tasks import Plan

ASKS = 3
"""The first request and at most two re-asks with the error."""
PATIENCE_S = 20.0
"""How long planning waits for a router that is away before it takes the fixed plan."""


class Planner:
    """Plans tasks that are queued."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def plan(self, record: TaskRecord) -> TaskRecord:
        """Return the record with its plan; raise `Conflict` when somebody wrote meanwhile.

        `InvalidInput` tells that the task names an agent or template that there is not.
        """
        start = time.monotonic()
        plan = plan_by_rule(record.request, self._room.crew)
        if plan is None:
            record, plan = await self._by_model(record)
        seconds = time.monotonic() - start
        entry = TaskPlanned(plan=plan, seconds=seconds, by=self._room.instance)
        return await self._room.journal.append(record, entry)

    async def _by_model(self, record: TaskRecord) -> tuple[TaskRecord, Plan]:
        problem: str | None = None
        for number in range(1, ASKS + 1):
            try:
                record, reply = await self._answer(record, number, problem)
            except FAILURES:
                continue
            except SovereignError as error:
                if error.code == "conflict":
                    raise
                break
            try:
                return record, read_plan(reply.content, self._room.crew, record.request)
            except OutputInvalid as error:
                problem = error.message
        return record, fallback_plan(record.request, self._room.crew)

    async def _answer(
        self, record: TaskRecord, number: int, problem: str | None
    ) -> tuple[TaskRecord, ChatReply]:
        """Return the journaled answer, or a new one that is journaled before it is used."""
        key = f"plan.{record.run}.{number}"
        known = record.answers.get(key)
        if known is not None:
            return record, known
        request = plan_request(record.request, self._room.crew, problem)
        request = beside(request, await known_for(self._room, record.request))
        asked = request.model_copy(
            update={"task_id": record.task_id, "priority": record.priority.value}
        )
        reply = await self._room.models.patiently(asked, patience_s=PATIENCE_S)
        entry = ModelAnswered(key=key, reply=reply, by=self._room.instance)
        return await self._room.journal.append(record, entry), reply
