"""The talk with a model about one step: tools in rounds, then an answer, then corrections."""

from __future__ import annotations

import json
from typing import Any

from services.agents.checks import Problem, check_json
from services.agents.excerpt import cut
from services.agents.questions import Questions
from services.agents.tools.kit import Kit
from shared.errors import InvalidInput
from shared.events.models import ChatMessage, ChatReply, ChatRequest

MOST_CALLS = 8
"""Calls of one answer that are made; a model that wants more has lost its way."""
LEAST_ROOM = 1000
"""Characters left in the context below which nothing more is looked up."""
ENOUGH = "No more tools. Give your answer now, from what you have."
AS_JSON = "Give this answer as JSON only, meeting the schema."


class Talk:
    """Asks until there is an answer. `request` is the step's own, without tools.

    `room` is the characters that all messages may have together. The n-th question is journaled
    under the name n, so a worker that takes over finds the same answers to the same questions.
    """

    def __init__(
        self, questions: Questions, kit: Kit | None, request: ChatRequest, room: int
    ) -> None:
        self._questions = questions
        self._room = room
        self._kit = kit
        self._request = request
        self._messages = request.messages
        self._number = 0

    async def answer(self, rounds: int) -> ChatReply:
        """Return the model's answer after at most `rounds` rounds of tools."""
        reply = await self._with_tools(self._kit, rounds) if self._kit is not None else None
        if reply is None:
            return await self._ask(self._request)
        schema = self._request.format
        if isinstance(schema, dict) and check_json(reply.content, schema) is not None:
            return await self._as_json(reply)
        return reply

    async def corrected(self, reply: ChatReply, problem: Problem) -> ChatReply:
        """Return the answer of a model that was shown its output and what is wrong with it."""
        shown = cut(reply.content, max(LEAST_ROOM, self._left()))
        said = ChatMessage(role="assistant", content=shown)
        line = f"<problem>{problem.message}</problem>\nGive the whole corrected output."
        return await self._ask(self._with(said, ChatMessage(role="user", content=line)))

    def _left(self) -> int:
        """Return the characters that may still be said."""
        return self._room - sum(len(message.content) for message in self._messages)

    async def _with_tools(self, kit: Kit, rounds: int) -> ChatReply | None:
        """Return the first answer without a call; None where the model knows no tools."""
        tools = kit.declared
        for _ in range(rounds):
            if self._left() < LEAST_ROOM:
                break
            try:
                reply = await self._ask(self._with(tools=tools))
            except InvalidInput as error:
                if error.field != "tools":
                    raise
                return None
            calls = reply.tool_calls[:MOST_CALLS]
            if not calls:
                return reply
            sound = tuple(_sound(call) for call in calls)
            said = ChatMessage(role="assistant", content=reply.content, tool_calls=sound)
            told = await kit.use(str(self._number), calls, self._left() // 2)
            self._messages = (*self._messages, said, *told)
            self._no_rules()
        return await self._ask(self._with(ChatMessage(role="user", content=ENOUGH)))

    def _no_rules(self) -> None:
        """Have no rules stand in from here on: a step begun anew would make its calls again."""
        self._request = self._request.model_copy(update={"allow_offline": False})

    async def _as_json(self, reply: ChatReply) -> ChatReply:
        """Return the answer in the form that was asked for: with tools none could be demanded.

        Rules read the step's own request alone.
        """
        if not reply.is_llm:
            return await self._ask(self._request)
        said = ChatMessage(role="assistant", content=reply.content)
        return await self._ask(self._with(said, ChatMessage(role="user", content=AS_JSON)))

    def _with(self, *more: ChatMessage, tools: tuple[dict[str, Any], ...] = ()) -> ChatRequest:
        """Return the request with all that was said; tools and a form exclude each other."""
        changes: dict[str, Any] = {"messages": (*self._messages, *more), "tools": tools}
        if tools:
            changes["format"] = None
        return self._request.model_copy(update=changes)

    async def _ask(self, request: ChatRequest) -> ChatReply:
        self._number += 1
        return await self._questions.ask(str(self._number), request)


def _sound(call: dict[str, Any]) -> dict[str, Any]:
    """Return a call that can be told again: arguments that are no JSON object become `{}`."""
    given = call["function"].get("arguments")
    try:
        sound = isinstance(json.loads(given) if isinstance(given, str) else given, dict)
    except (ValueError, RecursionError):
        sound = False
    return call if sound else {**call, "function": {**call["function"], "arguments": "{}"}}
