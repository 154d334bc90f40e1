import anyio

from services.dashboard.handlers import listening
from shared.events import TaskState
from tests.dashboard.conftest import beat
from tests.dashboard.test_crew import view


async def until(condition) -> None:
    with anyio.fail_after(10):
        while not condition():  # noqa: ASYNC110 - the store tells nobody, pages look at it
            await anyio.sleep(0.01)


async def test_beats_reach_the_store(bus, store):
    async with listening(bus, store):
        await bus.emit("health.beat.router.router-1", beat())
        await until(lambda: store.vitals.instances)
    assert store.vitals.of("router")[0].beat.boot == "b1"


async def test_a_bad_message_is_counted_and_the_next_one_heard(bus, store):
    async with listening(bus, store):
        await bus.nc.publish("health.beat.router.router-1", b'{"service": "a.b"}')
        await bus.nc.publish("cost.event", b"\xff")
        await bus.emit("health.beat.router.router-1", beat())
        await until(lambda: store.vitals.instances and store.malformed == 2)


async def test_a_final_result_closes_its_task(bus, store):
    store.fold(view("t1"))
    body = b'{"task_id": "t1", "title": "x", "state": "done", "answer": "42"}'
    async with listening(bus, store):
        await bus.nc.publish("agent.result.crew.t1", body)
        await until(lambda: store.crew.tasks["t1"].state == TaskState.DONE)
