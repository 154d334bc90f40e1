"""The tools of one step at work: each call journaled, none repeated that must not be."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from nats.errors import Error as NatsError

from services.agents.excerpt import cut
from services.agents.hold import Hold
from services.agents.tools.tool import (
    Bench,
    Found,
    LoopDetected,
    NeedsPerson,
    Tool,
    ToolFailed,
    ToolRefused,
    ToolUnsettled,
    UnknownTool,
)
from shared.errors import InvalidInput, SovereignError, TimedOut, Unavailable
from shared.events.journal import ToolAnswered, ToolStarted
from shared.events.models import ChatMessage
from shared.work import reason_of

log = logging.getLogger(__name__)

MOST_REPEATS = 2
"""How often the same call with the same arguments is answered; the next one ends the step."""
MOST_STRANGERS = 1
"""How often a model is told that there is no such tool; the next invention ends the step."""
SHOWN = 400
CERTAIN = (ToolFailed, ToolRefused, InvalidInput)
"""Errors that tell that a call was not carried out."""


class Kit:
    """The tools that one step was offered, and what was called so far."""

    def __init__(self, hold: Hold, bench: Bench, tools: Mapping[str, Tool]) -> None:
        self._hold = hold
        self._bench = bench
        self._tools = tools
        self._seen: Counter[str] = Counter()
        self._results: dict[str, str] = {}
        self._looks: set[str] = set()
        self._strangers = 0

    @property
    def declared(self) -> tuple[dict[str, Any], ...]:
        """Return the tools as chat requests carry them."""
        return tuple(tool.declared() for tool in self._tools.values())

    async def use(self, name: str, calls: Sequence[dict[str, Any]], room: int) -> list[ChatMessage]:
        """Make the calls of the answer `name`; return their results, in `room` characters.

        Raises `LoopDetected`, `UnknownTool`, `NeedsPerson` or `ToolUnsettled`; every other trouble
        of a tool is told to the model.
        """
        share = max(500, room // max(1, len(calls)))
        told = []
        for number, call in enumerate(calls, 1):
            content = await self._answer(f"{name}.{number}", call)
            told.append(_message(call, cut(content, share)))
        return told

    async def _answer(self, name: str, call: dict[str, Any]) -> str:
        tool_name, given = _read(call)
        mark = f"{tool_name} {_canonical(given)}"
        self._seen[mark] += 1
        if self._seen[mark] > MOST_REPEATS:
            line = f"the model called {mark[:SHOWN]} {self._seen[mark]} times"
            raise LoopDetected(line, field="tools")
        if mark in self._results:
            return f"You have made this very call; its result was:\n{self._results[mark]}"
        answer = await self._journaled(self._hold.key(name), tool_name, given)
        self._count_strangers(answer)
        self._remember(mark, answer)
        return _told(answer)

    def _remember(self, mark: str, answer: ToolAnswered) -> None:
        """Keep a result; what was only looked at may be another after something was done."""
        if answer.effect != "pure" and answer.reason is None:
            for look in self._looks:
                del self._results[look], self._seen[look]
            self._looks.clear()
        elif answer.effect == "pure":
            self._looks.add(mark)
        self._results[mark] = _told(answer)

    def _count_strangers(self, answer: ToolAnswered) -> None:
        if answer.reason is None or answer.reason.code != UnknownTool.code:
            return
        self._strangers += 1
        if self._strangers > MOST_STRANGERS:
            line = f"the model calls tools that there are not, last {answer.tool[:64]!r}"
            raise UnknownTool(line, field="tools")

    async def _journaled(self, key: str, name: str, given: dict[str, Any] | str) -> ToolAnswered:
        """Return what the journal has of this call, or make it and write it down."""
        known = self._hold.step.calls.get(key)
        if known is not None:
            return known
        started = time.monotonic()
        found, error = await self._tried(key, name, given)
        answer = ToolAnswered(
            step_id=self._hold.step_id,
            key=key,
            tool=name[:64],
            arguments=given if isinstance(given, dict) else {},
            effect=self._tools[name].effect if name in self._tools else "pure",
            content=found.content if found else "",
            artifact=found.artifact if found else None,
            reason=reason_of(error) if error else None,
            seconds=round(time.monotonic() - started, 6),
            by=self._hold.room.instance,
        )
        await self._hold.write(answer)
        return answer

    async def _tried(
        self, key: str, name: str, given: dict[str, Any] | str
    ) -> tuple[Found | None, SovereignError | None]:
        """Return what the call gave, or why it gave nothing."""
        try:
            tool, checked = self._checked(name, given)
            if tool.effect == "once":
                await self._begin(key, tool, checked)
            return await self._run(key, tool, checked), None
        except NeedsPerson:
            raise
        except SovereignError as error:
            log.info("tool %s of step %s: %s", name[:64], self._hold.step_id, error)
            return None, error

    def _checked(self, name: str, given: dict[str, Any] | str) -> tuple[Tool, dict[str, Any]]:
        from shared import schema_check  # costs memory; only steps with tools need it

        tool = self._tools.get(name)
        if tool is None:
            known = ", ".join(self._tools)
            raise UnknownTool(f"there is no tool {name[:64]!r}; there are: {known}", field="name")
        if isinstance(given, str):
            raise InvalidInput(f"arguments: no JSON object: {given[:SHOWN]}", field="arguments")
        wrong = schema_check.validate(given, tool.parameters)
        if wrong is not None:
            raise InvalidInput(f"arguments: {wrong}"[:SHOWN], field="arguments")
        return tool, given

    async def _begin(self, key: str, tool: Tool, given: dict[str, Any]) -> None:
        """Write that a call that may be made once begins; raise where a person must agree first."""
        step, asked = self._hold.step, self._hold.spec.approval == "tools"
        shown = f"{tool.name} {_canonical(given)}"[:SHOWN]
        if key not in step.allowed:
            if key in step.begun:
                line = f"it is not known whether {shown} was done; approve to do it (again)"
                raise ToolUnsettled(line, field=key)
            if asked:
                raise NeedsPerson(f"{self._hold.spec.name} wants to call {shown}", field=key)
        entry = ToolStarted(
            step_id=self._hold.step_id, key=key, tool=tool.name, arguments=given,
            by=self._hold.room.instance,
        )  # fmt: skip
        await self._hold.write(entry)

    async def _run(self, key: str, tool: Tool, given: dict[str, Any]) -> Found:
        """Run the tool; what may be made once and did not come to an end is left to a person."""
        try:
            async with asyncio.timeout(tool.within_s):
                return await tool.run(self._bench, given)
        except TimeoutError:
            error: SovereignError = TimedOut(f"{tool.name}: no answer in {tool.within_s:g} s")
        except SovereignError as caught:
            error = caught
        except (NatsError, OSError) as caught:
            error = Unavailable(f"{tool.name}: {caught or type(caught).__name__}"[:SHOWN])
        except Exception as caught:
            log.exception("tool %s", tool.name)
            error = SovereignError(f"{tool.name}: {type(caught).__name__}: {caught}"[:SHOWN])
        if tool.effect == "once" and not isinstance(error, CERTAIN):
            raise ToolUnsettled(f"{tool.name}: {error.message}; was it done?", field=key)
        raise error


def _read(call: dict[str, Any]) -> tuple[str, dict[str, Any] | str]:
    """Return a call's name and arguments; a text that is no JSON object stays as it is."""
    function = call.get("function") or {}
    name, given = str(function.get("name", "")), function.get("arguments") or {}
    try:
        found = json.loads(given) if isinstance(given, str) else given
    except (ValueError, RecursionError):
        return name, str(given)
    return name, found if isinstance(found, dict) else str(given)


def _canonical(given: dict[str, Any] | str) -> str:
    return given if isinstance(given, str) else json.dumps(given, sort_keys=True)


def _told(answer: ToolAnswered) -> str:
    """Return a result as the model reads it: data that cannot close its tag."""
    if answer.reason is not None:
        return f"error: {answer.reason.message}"
    content = answer.content.replace("</", "<\\/")
    return f'<result tool="{answer.tool}">{content}</result>'


def _message(call: dict[str, Any], content: str) -> ChatMessage:
    name = str((call.get("function") or {}).get("name", ""))
    return ChatMessage(
        role="tool", content=content, tool_name=name, tool_call_id=str(call.get("id") or "")
    )
