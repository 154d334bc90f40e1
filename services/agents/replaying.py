"""Answering `agent.replay`: the journal and the stored results of one task, read and folded."""

from __future__ import annotations

from services.agents.closing import CREW, STREAM
from services.agents.replay import Results, replay
from services.agents.room import Room
from shared.bus import decode
from shared.events.replay import ReplayAsk, TaskReplay
from shared.events.tasks import TaskResult
from shared.reading import read_subject
from shared.subjects import agent_result


async def replayed(room: Room, ask: ReplayAsk) -> TaskReplay:
    """Return the story of the task that is asked for; raise `NotFound` for an unknown one."""
    entries = await room.journal.entries(ask.task_id)
    return replay(ask, entries, await _results(room, ask.task_id), room.guarded)


async def _results(room: Room, task_id: str) -> Results:
    stored = await read_subject(room.bus, STREAM, agent_result(CREW, task_id))
    return {decode(each.data, TaskResult).run: each.data for each in stored}
