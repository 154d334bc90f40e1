"""The work of one step: gather, ask (tools and corrections within), judge, give the result."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from services.agents.checks import Problem, check_output, parse_json
from services.agents.context import Known
from services.agents.crew import AgentSpec
from services.agents.critic import Opinion, critic_request, judge
from services.agents.gather import Gathered, gather
from services.agents.hold import Hold
from services.agents.limits import insufficient, out_of_time, plain
from services.agents.questions import Questions
from services.agents.record import TaskRecord
from services.agents.room import Room
from services.agents.talk import Talk
from services.agents.tools.kit import Kit
from shared.errors import OutputInvalid, SovereignError
from shared.events.models import ChatReply, ChatRequest
from shared.events.tasks import Verify

REVISIONS = 2
"""How often a language model may correct an output, after checks and critic together."""


class NotVerified(SovereignError):
    """The critic refused every output, and the policy lets none pass without its word."""

    code = "not_verified"


@dataclass(frozen=True)
class Output:
    """A checked answer, the record in which it is journaled, and what the session told.

    `verified` is None where a verdict is missing.
    """

    record: TaskRecord
    reply: ChatReply
    data: Any | None
    known: Known = field(default_factory=Known)
    verified: bool | None = True
    verified_by: str = "checks"
    objections: tuple[str, ...] = ()
    revisions: int = 0
    notices: tuple[str, ...] = ()


class Performer:
    """Does one step as its owner: `owner` is the sequence of its `step_started` entry."""

    def __init__(self, room: Room, spec: AgentSpec, step_id: str, owner: int | None) -> None:
        self._hold = Hold(room, spec, step_id, owner)
        self._spec = spec
        self.step_id = step_id

    def entitled(self, record: TaskRecord) -> bool:
        """Tell whether this worker still owns its step."""
        return self._hold.entitled(record)

    async def perform(self, record: TaskRecord) -> Output:
        """Return the output; raise its typed error, or `Stale` when the step is not ours any more.

        An output that fails checks or critic is given back to a language model at most twice.
        """
        self._hold.record = record
        limit = asyncio.timeout(self._spec.budget.seconds)
        try:
            async with limit:
                return await _Work(self._hold, await gather(self._hold)).output()
        except TimeoutError:
            if not limit.expired():
                raise
            raise out_of_time(self._spec) from None


class _Work:
    """One pass through the work of a step; all that it decides on is in the journal."""

    def __init__(self, hold: Hold, given: Gathered) -> None:
        self._hold = hold
        self._given = given
        self._questions = Questions(hold)
        self._objections: list[str] = []
        self._revisions = 0

    async def output(self) -> Output:
        given = self._given
        tools = given.offer.tools
        kit = Kit(self._hold, given.bench, tools) if tools else None
        talk = Talk(self._questions, kit, given.request, given.room)
        reply = await talk.answer(self._hold.spec.rounds)
        while True:
            problem = self._problem(reply)
            if problem is not None and not reply.is_llm:
                raise insufficient(problem)
            opinion = await self._opinion(reply) if problem is None else Opinion(None)
            problem = problem or _refusal(opinion)
            if problem is None or self._revisions == REVISIONS:
                return self._end(reply, problem, opinion)
            self._objections.append(problem.message)
            self._revisions += 1
            reply = await talk.corrected(reply, problem)

    def _problem(self, reply: ChatReply) -> Problem | None:
        self._hold.check()
        schema = _schema(self._given.request)
        problem = check_output(self._hold.spec, self._hold.step.step, reply.content, schema)
        return plain(problem, reply)

    @property
    def _policy(self) -> Verify:
        return self._hold.record.request.verify or self._hold.spec.verify

    async def _opinion(self, reply: ChatReply) -> Opinion:
        """Return the critic's word where the policy wants one and a language model wrote."""
        if self._policy == "checks" or not reply.is_llm:
            return Opinion(None)
        hold = self._hold
        request = critic_request(hold.spec, hold.record.request, hold.step.step, reply.content)
        return await judge(self._questions, self._revisions + 1, self._given.addressed(request))

    def _end(self, reply: ChatReply, problem: Problem | None, opinion: Opinion) -> Output:
        """Return the output with what is known of its worth; raise where it may not stand."""
        if problem is not None:
            self._objections.append(problem.message)
        if problem is not None and opinion.passed is None:
            raise OutputInvalid(problem.message, field="output")
        if opinion.passed is False and self._policy == "strict":
            raise NotVerified(f"the critic refuses it: {'; '.join(self._objections)}"[:500])
        wanted = self._policy != "checks" and reply.is_llm
        return Output(
            record=self._hold.record,
            reply=reply,
            data=_data(self._given.request, reply),
            known=self._given.known,
            verified=opinion.passed if wanted else True,
            verified_by="critic" if wanted else "checks",
            objections=tuple(self._objections),
            revisions=self._revisions,
            notices=self._given.offer.notices,
        )


def _refusal(opinion: Opinion) -> Problem | None:
    """Return what a critic wants changed; one that names no problem leaves nothing to change."""
    if opinion.passed is not False or not opinion.problems:
        return None
    return Problem("critic", " ".join(f"{n}. {text}" for n, text in enumerate(opinion.problems, 1)))


def _schema(request: ChatRequest) -> dict[str, Any] | None:
    return request.format if isinstance(request.format, dict) else None


def _data(request: ChatRequest, reply: ChatReply) -> Any | None:
    """Return the parsed answer when JSON was asked for."""
    if reply.data is not None or request.format is None:
        return reply.data
    return parse_json(reply.content)
