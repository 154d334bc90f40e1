import anyio

from services.dashboard.handlers import make_broker
from shared.events import TaskState
from tests.dashboard.conftest import beat
from tests.dashboard.test_crew import view


async def until(condition) -> None:
    with anyio.fail_after(10):
        while not condition():  # noqa: ASYNC110 - the store tells nobody, pages look at it
            await anyio.sleep(0.01)


async def test_beats_reach_the_store(settings, bus, store):
    broker = make_broker(settings, store)
    await broker.start()
    await bus.emit("health.beat.router.router-1", beat())
    await until(lambda: store.vitals.instances)
    await broker.stop()
    assert store.vitals.of("router")[0].beat.boot == "b1"


async def test_a_bad_message_is_counted_and_the_next_one_heard(settings, bus, store):
    broker = make_broker(settings, store)
    await broker.start()
    await bus.nc.publish("health.beat.router.router-1", b'{"service": "a.b"}')
    await bus.nc.publish("cost.event", b"\xff")
    await bus.emit("health.beat.router.router-1", beat())
    await until(lambda: store.vitals.instances)
    await broker.stop()
    assert store.malformed == 2


async def test_a_final_result_closes_its_task(settings, bus, store):
    store.fold(view("t1"))
    broker = make_broker(settings, store)
    await broker.start()
    body = b'{"task_id": "t1", "title": "x", "state": "done", "answer": "42"}'
    await bus.nc.publish("agent.result.crew.t1", body)
    await until(lambda: store.crew.tasks["t1"].state == TaskState.DONE)
    await broker.stop()
