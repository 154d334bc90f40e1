"""Learns what was answered, and suggests it to who asks something near.

A suggestion never takes an answer's place: sentences that mean the reverse score above true
paraphrases with every encoder that was measured, so a person has to look.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from services.router.engine import Answer
from services.router.suggest.memory import LONGEST, Asked, Memory
from shared.clock import now
from shared.errors import InvalidInput, SovereignError
from shared.events import ChatRequest, EmbedReply, EmbedRequest, SuggestAsk, SuggestReply
from shared.priorities import PriorityName

log = logging.getLogger(__name__)

WAITING = 100
"""Questions that may wait for their vector; while a model is busy, later ones are not learned."""
SOURCE = "suggestions"
"""Who asks for these vectors, in the record."""

Embed = Callable[[EmbedRequest], Awaitable[EmbedReply]]


class Suggestions:
    """Learns nothing, and refuses to suggest, unless `on`; `run` must be kept going."""

    def __init__(self, on: bool, embed: Embed) -> None:
        self._on = on
        self._embed = embed
        self._memory = Memory()
        self._new: asyncio.Queue[tuple[str, Asked]] = asyncio.Queue(WAITING)

    def learn(self, request: ChatRequest, answer: Answer) -> None:
        """Remember a complete answer, later; never waits and never fails."""
        question = request.messages[-1].content[:LONGEST]
        if not self._on or not question.strip() or request.messages[-1].role != "user":
            return
        if not self._new.full():
            asked = Asked(question, answer.content[:LONGEST], answer.model, now())
            self._new.put_nowait((request.tenant, asked))

    async def run(self) -> None:
        """Learn for ever what was put by."""
        while True:
            tenant, asked = await self._new.get()
            try:
                vector = await self._vector(asked.question, tenant, "low")
            except SovereignError as error:
                log.debug("a question was not learned: %s", error.message)
                continue
            self._memory.keep(tenant, vector, asked)

    async def answer(self, ask: SuggestAsk) -> SuggestReply:
        """Answer `model.suggest`; raises when suggestions are off or nothing makes vectors."""
        if not self._on:
            line = "suggestions are off: set SOVEREIGN_ROUTER__SUGGESTIONS=true"
            raise InvalidInput(line, field="SOVEREIGN_ROUTER__SUGGESTIONS")
        vector = await self._vector(ask.text[:LONGEST], ask.tenant, "normal")
        near = self._memory.nearest(ask.tenant, vector, ask.limit, ask.at_least)
        return SuggestReply(suggestions=near, known=self._memory.count(ask.tenant))

    async def _vector(self, text: str, tenant: str, priority: PriorityName) -> tuple[float, ...]:
        asked = EmbedRequest(input=(text,), tenant=tenant, priority=priority, source=SOURCE)
        reply = await self._embed(asked)
        return reply.embeddings[0]
