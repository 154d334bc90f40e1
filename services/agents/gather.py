"""What a step has to work with: documents, inputs, facts of its session, and fitting tools."""

from __future__ import annotations

from dataclasses import dataclass

from services.agents.context import Known, beside, documents_of, known_for, leave_room
from services.agents.crew import AgentSpec
from services.agents.hold import Hold
from services.agents.prompts import (
    Document,
    StepInput,
    room_of,
    shown_in_part,
    step_request,
)
from services.agents.record import StepRecord, TaskRecord
from services.agents.tools.tool import Bench
from services.agents.tools.toolbox import Offer
from shared.bus import Bus, decode
from shared.events.models import ChatRequest
from shared.events.tasks import TaskResult
from shared.reading import last_of
from shared.subjects import agent_result


@dataclass(frozen=True)
class Gathered:
    """A step's request, what the session told, the tools that it is offered.

    `room` is the characters that the whole talk may have.
    """

    request: ChatRequest
    known: Known
    bench: Bench
    offer: Offer
    room: int

    def addressed(self, request: ChatRequest) -> ChatRequest:
        """Return another request of the same step, with its ids and its priority."""
        own = self.request
        ids = {"task_id": own.task_id, "step_id": own.step_id, "priority": own.priority}
        return request.model_copy(update=ids)


async def gather(hold: Hold) -> Gathered:
    """Return all that the step of this hold has to work with."""
    sources = await _sources(hold)
    request = sources.request(tools=False)
    bench = _bench(hold, sources, request)
    offer = await _offer(hold, bench)
    if offer.tools:
        request = sources.request(tools=True)
    ids = {"task_id": hold.record.task_id, "step_id": hold.step_id, "agent": hold.spec.name}
    addressed = request.model_copy(update=ids | {"priority": hold.record.priority.value})
    return Gathered(addressed, sources.known, bench, offer, room_of(hold.spec))


async def _offer(hold: Hold, bench: Bench) -> Offer:
    """Return the tools for the step; none where the routers have rules only, which call nothing."""
    room = hold.room
    by_rule = room.routers.boots() and not room.routers.model_ready
    if by_rule or not hold.spec.tools:
        return Offer()
    return await room.toolbox.fitting(hold.spec.tools, bench)


@dataclass(frozen=True)
class _Sources:
    """All texts of a step, whether they fit or not; `own` when the facts are its one document."""

    spec: AgentSpec
    record: TaskRecord
    step: StepRecord
    inputs: list[StepInput]
    documents: list[Document]
    known: Known
    own: bool

    def request(self, *, tools: bool) -> ChatRequest:
        """Return the step's request, with room for results of tools where there are any."""
        spec = self.spec if self.own else leave_room(self.spec, self.known)
        request = step_request(
            spec, self.record.request, self.step.step, self.inputs, self.documents, tools=tools
        )
        return beside(request, self.known, self.own)


async def _sources(hold: Hold) -> _Sources:
    record, step = hold.record, hold.step
    documents = await hold.room.attachments.documents(record.request)
    documents += await _answers_of_others(hold.room.bus, record)
    inputs = inputs_of(record, step)
    known = await known_for(hold.room, record.request)
    own = documents_of(hold.spec, known, bool(documents or inputs))
    return _Sources(hold.spec, record, step, inputs, documents + own, known, bool(own))


def _bench(hold: Hold, sources: _Sources, request: ChatRequest) -> Bench:
    """Return what tools may know of the step."""
    cut = shown_in_part(request, sources.documents) if hold.spec.tools else frozenset()
    room = hold.room
    return Bench(
        room.bus, room.settings, hold.record.request, hold.step.step, sources.documents, cut
    )


async def _answers_of_others(bus: Bus, record: TaskRecord) -> list[Document]:
    """Return the answers of the tasks that this one depends on."""
    found = []
    for name in record.request.depends_on:
        last = await last_of(bus, "RESULTS", agent_result("crew", name))
        if last is not None:
            found.append(Document(f"task {name}", decode(last.data, TaskResult).answer))
    return found


def inputs_of(record: TaskRecord, step: StepRecord) -> list[StepInput]:
    """Return the outputs of the steps that `step` depends on."""
    found = []
    for name in step.step.depends_on:
        result = record.steps[name].result
        if result is not None:
            found.append(StepInput(name, result.agent, result.output, result.title))
    return found
