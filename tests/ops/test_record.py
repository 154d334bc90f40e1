import anyio

from services.ops.history import History
from services.ops.record import ROOM, Record
from shared.events import OpsHistoryAsk
from shared.reading import read_subject


async def test_what_was_told_before_the_bus_was_there_is_stored_in_order(bus):
    record = Record("here", "supervisor")
    for number in range(3):
        record.tell("started", "match", evidence={"pid": number})
    await record.flush(bus)
    stored = await read_subject(bus, "OPS", "ops.event.started")
    assert [b'"pid":%d' % n in s.data for n, s in enumerate(stored)] == [True] * 3
    assert record.waiting == ()


def test_while_the_bus_is_away_the_room_is_bounded_and_losses_are_counted():
    record = Record("here", "supervisor")
    for _ in range(ROOM + 7):
        record.tell("symptom", "match")
    assert len(record.waiting) == ROOM
    assert record.lost == 7


async def test_the_loop_publishes_as_entries_come(bus):
    record = Record("here", "supervisor")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(record.run, bus)
        record.tell("started", "match")
        while record.waiting:  # noqa: ASYNC110 - nothing tells of it
            await anyio.sleep(0.01)
        tasks.cancel_scope.cancel()
    assert len(await read_subject(bus, "OPS", "ops.event.started")) == 1


async def test_history_is_rebuilt_newest_first_and_each_entry_counts_once(bus):
    record, learnt = Record("here", "supervisor"), []
    first, second = record.tell("started", "match"), record.tell("exited", "router")
    await record.flush(bus)
    history = History(learnt.append)
    history.take(second.model_dump_json().encode())
    await history.rebuild(bus)
    await history.rebuild(bus)
    assert [e.event_id for e in history.newest(OpsHistoryAsk()).events] == [
        second.event_id,
        first.event_id,
    ]
    assert len(learnt) == 2


async def test_history_answers_by_service_kind_and_limit(bus):
    history = History(lambda event: None)
    record = Record("here", "supervisor")
    for service in ("match", "router", "match"):
        history.take(record.tell("started", service).model_dump_json().encode())
    history.take(b"not an entry")
    assert len(history.newest(OpsHistoryAsk(service="match")).events) == 2
    assert len(history.newest(OpsHistoryAsk(kind="exited")).events) == 0
    assert len(history.newest(OpsHistoryAsk(limit=1)).events) == 1
