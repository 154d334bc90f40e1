from services.dashboard.records import Records
from shared.bus import encode
from shared.events import OpsEvent, TaskState
from tests.dashboard.test_crew import view


async def test_views_of_tasks_are_followed(bus, store):
    bucket = await bus.js.key_value("tasks")
    records = Records(bus, store)
    await bucket.put("t1", encode(view("t1", "queued")))
    await records.look()
    await bucket.put("t1", encode(view("t1", "done")))
    await records.look()
    assert store.crew.tasks["t1"].state == TaskState.DONE


async def test_a_deleted_view_is_forgotten(bus, store):
    bucket = await bus.js.key_value("tasks")
    records = Records(bus, store)
    await bucket.put("t1", encode(view("t1")))
    await records.look()
    await bucket.delete("t1")
    await records.look()
    assert store.crew.tasks == {}


async def test_waiting_steps_come_with_their_reason(bus, store):
    bucket = await bus.js.key_value("waiting")
    noted = b'{"reason": "needs_model", "message": "no model", "since": "2026-11-23T10:00:00Z"}'
    await bucket.put("t1.s1", noted)
    await bucket.put("t2", b"[]")
    await Records(bus, store).look()
    assert store.crew.waits["t1", "s1"].code == "needs_model"
    assert store.malformed == 1


async def test_a_view_that_cannot_be_read_stops_nothing(bus, store):
    bucket = await bus.js.key_value("tasks")
    await bucket.put("bad", b"{}")
    await bucket.put("t1", encode(view("t1")))
    await Records(bus, store).look()
    assert (list(store.crew.tasks), store.malformed) == (["t1"], 1)


async def test_the_record_of_ops_from_before_is_recalled(bus, store):
    await bus.publish("ops.event.started", OpsEvent(event_id="e1", kind="started"), "e1")
    await Records(bus, store).look()
    assert [event.event_id for event in store.ops] == ["e1"]
