"""The work of one step: gather, ask the model (once a journaled answer), check, give the result."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from nats.errors import Error as NatsError

from services.agents.calls import FAILURES
from services.agents.checks import EMPTY, Problem, check_output, parse_json
from services.agents.context import Known, beside, documents_of, known_for, leave_room
from services.agents.crew import AgentSpec
from services.agents.journal import Stale
from services.agents.prompts import Document, StepInput, step_request
from services.agents.record import StepRecord, TaskRecord
from services.agents.room import Room
from shared.bus import decode
from shared.errors import (
    EngineFailed,
    NeedsModel,
    OutputInvalid,
    SovereignError,
    TimedOut,
    Unavailable,
)
from shared.events.journal import ModelAnswered, StepTroubled
from shared.events.models import ChatMessage, ChatReply, ChatRequest
from shared.events.tasks import TaskResult
from shared.reading import last_of
from shared.subjects import agent_result
from shared.work import reason_of

log = logging.getLogger(__name__)

REVISIONS = 2
"""How often a language model may correct an output that fails its checks."""
MOST_FAILURES = 5
"""Failures of the engine, in one attempt at a step and over all restarts, that end it."""
PAUSE_S = 0.5
"""Half the pause after the first of them; doubled after each."""
PATIENCE_S = 20.0
"""How long a step holds its slot while the router is away or busy."""


@dataclass(frozen=True)
class Output:
    """A checked answer, the record in which it is journaled, and what the session told."""

    record: TaskRecord
    reply: ChatReply
    data: Any | None
    known: Known = field(default_factory=Known)


class Performer:
    """Does one step as its owner: `owner` is the sequence of its `step_started` entry."""

    def __init__(self, room: Room, spec: AgentSpec, step_id: str, owner: int | None) -> None:
        self._room = room
        self._spec = spec
        self.step_id = step_id
        self._owner = owner

    def entitled(self, record: TaskRecord) -> bool:
        """Tell whether this worker still owns its step."""
        return record.end is None and record.steps[self.step_id].owner == self._owner

    async def perform(self, record: TaskRecord) -> Output:
        """Return the output; raise its typed error, or `Stale` when the step is not ours any more.

        An output that fails its checks is given back to a language model at most twice.
        """
        request, known = await self._request(record)
        problem: Problem | None = None
        for number in range(1, REVISIONS + 2):
            record, reply = await self._answer(record, number, request)
            problem = self._problem(record, request, reply)
            if problem is None:
                return Output(record, reply, _data(request, reply), known)
            if not reply.is_llm:
                _check_empty(problem)
                break
            request = corrected(request, reply, problem)
        raise OutputInvalid(problem.message if problem else "no output", field="output")

    async def _request(self, record: TaskRecord) -> tuple[ChatRequest, Known]:
        step = record.steps[self.step_id]
        documents = await self._room.attachments.documents(record.request)
        documents += await self._answers_of_others(record)
        inputs = inputs_of(record, step)
        known = await known_for(self._room, record.request)
        own = documents_of(self._spec, known, bool(documents or inputs))
        spec = self._spec if own else leave_room(self._spec, known)
        request = step_request(spec, record.request, step.step, inputs, documents + own)
        return self._addressed(beside(request, known, bool(own)), record), known

    def _addressed(self, request: ChatRequest, record: TaskRecord) -> ChatRequest:
        return request.model_copy(
            update={
                "task_id": record.task_id,
                "step_id": self.step_id,
                "agent": self._spec.name,
                "priority": record.priority.value,
            }
        )

    async def _answers_of_others(self, record: TaskRecord) -> list[Document]:
        """Return the answers of the tasks that this one depends on."""
        found = []
        for name in record.request.depends_on:
            last = await last_of(self._room.bus, "RESULTS", agent_result("crew", name))
            if last is not None:
                found.append(Document(f"task {name}", decode(last.data, TaskResult).answer))
        return found

    async def _answer(
        self, record: TaskRecord, number: int, request: ChatRequest
    ) -> tuple[TaskRecord, ChatReply]:
        """Return the journaled answer, or a new one that is journaled before it is used."""
        step = record.steps[self.step_id]
        key = f"{step.attempt}.{number}"
        known = step.answers.get(key)
        if known is not None:
            return record, known
        record, reply = await self._asked(record, request)
        entry = ModelAnswered(step_id=self.step_id, key=key, reply=reply, by=self._room.instance)
        return await self._room.journal.insist(record, entry, self.entitled), reply

    async def _asked(
        self, record: TaskRecord, request: ChatRequest
    ) -> tuple[TaskRecord, ChatReply]:
        """Return the model's reply; each failure of the engine is journaled, the last one raised.

        Raises `Unavailable` or `Busy` after `PATIENCE_S`: the step then holds no slot for a while.
        """
        still = partial(self._still, record.task_id)
        while True:
            live = self._room.live.text(record.task_id, self.step_id, self._spec.name)
            try:
                async with live:
                    models = self._room.models
                    return record, await models.patiently(request, live.add, PATIENCE_S, still)
            except FAILURES as error:
                record = await self._troubled(record, error)
            await asyncio.sleep(PAUSE_S * 2 ** record.steps[self.step_id].failures)
            await still()

    async def _troubled(self, record: TaskRecord, error: SovereignError) -> TaskRecord:
        """Count one failure; raise `EngineFailed` when it was one too many."""
        entry = StepTroubled(
            step_id=self.step_id,
            attempt=record.steps[self.step_id].attempt,
            reason=reason_of(error),
            by=self._room.instance,
        )
        record = await self._room.journal.insist(record, entry, self.entitled)
        failures = record.steps[self.step_id].failures
        if failures >= MOST_FAILURES:
            raise EngineFailed(f"{error.message} (tried {failures} times)") from error
        log.info("step %s of %s: %s; again soon", self.step_id, record.task_id, error)
        return record

    async def _still(self, task_id: str) -> None:
        """Raise `Stale` when the step is not ours any more, as after a long sleep of this host."""
        try:
            record = await self._room.journal.find(task_id)
        except (TimedOut, NatsError) as error:
            raise Unavailable(f"the journal of {task_id} cannot be read") from error
        if record is None or not self.entitled(record):
            raise Stale(task_id)

    def _problem(
        self, record: TaskRecord, request: ChatRequest, reply: ChatReply
    ) -> Problem | None:
        if not self.entitled(record):
            raise Stale(record.task_id)
        step = record.steps[self.step_id].step
        problem = check_output(self._spec, step, reply.content, _schema(request))
        return _plain(problem, reply) if problem is not None and problem.code == EMPTY else problem


def _plain(problem: Problem, reply: ChatReply) -> Problem:
    """Return the problem of an empty output with who gave it, and what little was in it."""
    said = reply.content.strip()
    what = f"without a word: {said[:80]!r}" if said else "with an empty text"
    who = f"{reply.model} ({reply.engine})" if reply.is_llm else f"the {reply.engine} engine"
    return Problem(problem.code, f"{who} answered {what}")


def _check_empty(problem: Problem) -> None:
    """Raise `NeedsModel` where rules found nothing to say: that is no failure, but their limit."""
    if problem.code == EMPTY:
        raise NeedsModel(f"{problem.message}; only a language model could say more")


def inputs_of(record: TaskRecord, step: StepRecord) -> list[StepInput]:
    """Return the outputs of the steps that `step` depends on."""
    found = []
    for name in step.step.depends_on:
        result = record.steps[name].result
        if result is not None:
            found.append(StepInput(name, result.agent, result.output, result.title))
    return found


def corrected(request: ChatRequest, reply: ChatReply, problem: Problem) -> ChatRequest:
    """Return the request that shows the model its output and what is wrong with it."""
    said = ChatMessage(role="assistant", content=reply.content)
    line = f"<problem>{problem.message}</problem>\nGive the whole corrected output."
    asked = ChatMessage(role="user", content=line)
    return request.model_copy(update={"messages": (*request.messages[:2], said, asked)})


def _schema(request: ChatRequest) -> dict[str, Any] | None:
    return request.format if isinstance(request.format, dict) else None


def _data(request: ChatRequest, reply: ChatReply) -> Any | None:
    """Return the parsed answer when JSON was asked for."""
    if reply.data is not None or request.format is None:
        return reply.data
    return parse_json(reply.content)
