"""Reasons in sentences: by a model where one is asked for and there is one, by rules otherwise.

The model gets the reasons and nothing else. Its words are taken only when every number in them
stands in the reasons too; a number that it changed or made up sends the whole text away.
"""

from __future__ import annotations

import logging
import re

import anyio

from shared.bus import Bus
from shared.errors import SovereignError
from shared.events import ChatMessage, ChatOptions, ChatReply, ChatRequest, MatchFound, MatchScore

log = logging.getLogger(__name__)

MOST = 3
"""Pairs of one ranking that are put into sentences."""
WITHIN_S = 20.0
LONGEST = 900
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
TASK = (
    "Rewrite these facts about how well a provider fits a need as two or three plain sentences for"
    " the client. Keep every number exactly as it stands, with its unit. Add no fact and no number."
    " Answer with the sentences alone."
)


async def phrased(bus: Bus, found: MatchFound) -> MatchFound:
    """Return the ranking with its first pairs told in sentences."""
    told = list(found.scores)
    async with anyio.create_task_group() as tasks:
        for place in range(min(MOST, len(told))):
            tasks.start_soon(_phrase, bus, told, place)
    return found.model_copy(update={"scores": tuple(told)})


async def _phrase(bus: Bus, told: list[MatchScore], place: int) -> None:
    facts = sentences(told[place])
    words = await _asked(bus, facts)
    by_model = words is not None and sound(words, facts)
    text = words if by_model else facts
    told[place] = told[place].model_copy(update={"phrase": text, "phrased_by_model": by_model})


async def _asked(bus: Bus, facts: str) -> str | None:
    """Return what a model makes of the facts; None without one."""
    request = ChatRequest(
        messages=(
            ChatMessage(role="system", content=TASK),
            ChatMessage(role="user", content=facts),
        ),
        options=ChatOptions(temperature=0.0),
        timeout_s=WITHIN_S,
        allow_offline=False,
    )
    try:
        reply = await bus.request("model.chat", request, ChatReply, WITHIN_S)
    except SovereignError as error:
        log.info("no phrasing by a model: %s", error.message)
        return None
    return " ".join(reply.content.split()) if reply.is_llm else None


def sentences(one: MatchScore) -> str:
    """Return the reasons of a pair as sentences, the weightiest first; always the same."""
    name = one.provider_name or one.provider_id
    start = f"{name} scores {100 * one.total:.0f} of 100, with {100 * one.confidence:.0f} % known."
    if one.blockers:
        return f"{start} Ruled out: {'; '.join(one.blockers)}."
    known = [part for part in one.parts if part.value is not None and part.reason]
    known.sort(key=lambda part: -part.weight)
    reasons = list(dict.fromkeys(part.reason for part in known))[:5]
    why = "; ".join(reasons) or "nothing is known"
    lines = [start, f"{why[0].upper()}{why[1:]}."]
    if one.missing:
        lines.append(f"Not known: {'; '.join(one.missing[:3])}.")
    if one.hints:
        lines.append(f"It would be {one.hints[0]}.")
    return " ".join(lines)


def sound(words: str, facts: str) -> bool:
    """Tell whether a text may stand for the facts: not empty, not endless, no number of its own."""
    return 0 < len(words) <= LONGEST and set(_NUMBER.findall(words)) <= set(_NUMBER.findall(facts))
