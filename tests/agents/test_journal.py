import asyncio
from dataclasses import replace

import pytest

from services.agents.journal import Journal, Stale
from services.agents.manager import Manager
from services.agents.room import open_room
from services.agents.views import Views
from shared.errors import Conflict, NotFound
from shared.events.base import Reason
from shared.events.journal import ControlReceived, TaskPlanned
from shared.events.tasks import TaskControl, TaskState
from tests.agents.harness import kinds, view
from tests.agents.test_fold import PLAN, ended, queued, started

CANCEL = TaskControl(action="cancel", task_id="t1", by="ann")


async def opened(bus):
    journal = Journal(bus)
    record = await journal.open("t1", queued())
    return journal, await journal.append(record, TaskPlanned(plan=PLAN))


async def test_two_writers_from_the_same_place_are_one_writer_and_one_conflict(bus):
    journal, record = await opened(bus)
    both = (Journal(bus).append(record, started("a")), journal.append(record, started("a")))
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 1
    assert (await kinds(bus)).count("step_started") == 1


async def test_a_task_is_opened_once(bus):
    await opened(bus)
    with pytest.raises(Conflict):
        await Journal(bus).open("t1", queued().model_copy(update={"origin_seq": 2}))


async def test_the_same_entry_again_is_found_and_not_written_twice(bus):
    journal, record = await opened(bus)
    entry = started("a")
    after = await journal.append(record, entry)
    assert await journal.append(record, entry) == after
    assert (await kinds(bus)).count("step_started") == 1


async def test_insisting_goes_on_behind_others_while_entitled(bus):
    journal, record = await opened(bus)
    await Journal(bus).append(record, started("a"))
    later = await journal.insist(record, ended("a"), lambda r: r.end is None)
    assert later.steps["a"].state is TaskState.DONE


async def test_insisting_without_a_right_is_stale(bus):
    journal, record = await opened(bus)
    await Journal(bus).append(record, started("a"))
    with pytest.raises(Stale):
        await journal.insist(record, ended("a"), lambda r: r.steps["a"].owner is None)


async def test_an_unknown_task_is_not_found(bus):
    assert await Journal(bus).find("nobody") is None
    with pytest.raises(NotFound):
        await Journal(bus).read("nobody")


async def test_an_older_view_never_covers_a_newer_one(bus):
    journal, record = await opened(bus)
    newer = await journal.append(record, started("a"))
    await (await Views.open(bus)).store(newer)
    await (await Views.open(bus)).store(record)
    assert (await view(bus, record.task_id)).seq == newer.seq


async def test_many_writers_of_views_end_with_the_newest(bus):
    journal, record = await opened(bus)
    records = [record]
    for _ in range(6):
        records.append(await journal.append(records[-1], started("a")))
    writers = [await Views.open(bus) for _ in records]
    await asyncio.gather(
        *(writer.store(each) for writer, each in zip(writers, records, strict=True))
    )
    assert (await view(bus, record.task_id)).seq == records[-1].seq


async def ahead(bus):
    """Return a journal that was told a sequence far beyond what the stream has."""
    journal, record = await opened(bus)
    journal._keep(replace(record, seq=record.seq + 1000))
    return journal, await journal.read(record.task_id)


async def test_a_journal_ahead_of_its_stream_comes_back_to_it(bus):
    journal, wrong = await ahead(bus)
    later = await journal.insist(wrong, started("a"), lambda r: r.end is None)
    assert later.seq < wrong.seq
    assert await journal.find(wrong.task_id) == later


async def test_a_manager_ahead_of_the_stream_reads_anew(bus, settings):
    _, record = await opened(bus)
    room = await open_room(bus, settings, "agents-1")
    room.journal._keep(replace(record, seq=record.seq + 1000))
    await Manager(room).fail(record.task_id, Reason(code="internal", message="x"))
    assert (await kinds(bus))[-1] == "task_finished"


async def test_advancing_from_ahead_of_the_stream_ends_with_what_is_stored(bus, settings):
    _, record = await opened(bus)
    room = await open_room(bus, settings, "agents-1")
    word = ControlReceived(control=CANCEL, origin_seq=1)
    wrong = replace(await Journal(bus).append(record, word), seq=record.seq + 1000)
    room.journal._keep(wrong)
    await Manager(room).advance(wrong)
    assert (await kinds(bus))[-1] == "task_finished"
