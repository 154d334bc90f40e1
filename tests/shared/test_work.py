import asyncio
from contextlib import asynccontextmanager

import anyio
import orjson

from shared.errors import InvalidInput
from shared.events import TaskRequest
from shared.reading import last_of
from shared.streams import Consumer
from shared.work import Worker

QUEUE = Consumer("TASKS", "manager-high", ("task.request.high",), ack_wait_s=1.0, max_deliver=2)


@asynccontextmanager
async def working(bus, handler):
    await bus.js.add_consumer("TASKS", QUEUE.config())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Worker(bus, QUEUE, handler).run)
        yield
        tasks.cancel_scope.cancel()


async def left(bus) -> int:
    return (await bus.js.stream_info("TASKS")).state.messages


async def until(check, seconds: float = 10.0):
    with anyio.fail_after(seconds):
        while not await check():  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.02)


async def test_a_handled_message_leaves_the_queue(bus):
    seen = asyncio.Event()

    async def handler(message):
        seen.set()

    async with working(bus, handler):
        await bus.publish("task.request.high", TaskRequest(title="x"), "1")
        await seen.wait()
        await until(lambda: _is(left(bus), 0))


async def test_bad_input_goes_to_dead_with_its_reason(bus):
    async def handler(message):
        raise InvalidInput("title is missing", field="title")

    async with working(bus, handler):
        await bus.js.publish("task.request.high", b"{}")
        await until(lambda: _is(left(bus), 0))
    letter = orjson.loads((await last_of(bus, "DEAD", "dead.TASKS")).data)
    assert (letter["reason"]["field"], letter["payload"]) == ("title", "{}")


async def test_a_message_that_always_fails_is_buried_at_its_last_delivery(bus):
    calls = []

    async def handler(message):
        calls.append(message.metadata.num_delivered)
        raise RuntimeError("boom")

    async with working(bus, handler):
        await bus.publish("task.request.high", TaskRequest(title="x"), "1")
        await until(lambda: _is(left(bus), 0))
    assert calls == [1, 2]


async def test_long_work_is_not_given_to_another(bus):
    calls = []

    async def handler(message):
        calls.append(1)
        await asyncio.sleep(2.5)

    async with working(bus, handler):
        await bus.publish("task.request.high", TaskRequest(title="x"), "1")
        await until(lambda: _is(left(bus), 0))
    assert calls == [1]


async def test_shutdown_gives_back_at_once(bus):
    started = asyncio.Event()

    async def handler(message):
        started.set()
        await asyncio.sleep(60)

    async with working(bus, handler):
        await bus.publish("task.request.high", TaskRequest(title="x"), "1")
        await started.wait()
    assert await left(bus) == 1
    pull = await bus.js.pull_subscribe_bind(consumer=QUEUE.name, stream="TASKS")
    assert (await pull.fetch(1, timeout=0.5))[0].metadata.num_delivered == 2


async def test_a_durable_that_somebody_deleted_is_declared_again(bus, monkeypatch):
    monkeypatch.setattr("shared.work.FETCH_S", 0.5)
    seen = asyncio.Event()

    async def handler(message):
        seen.set()

    async with working(bus, handler):
        await bus.js.delete_consumer("TASKS", QUEUE.name)
        await bus.publish("task.request.high", TaskRequest(title="x"), "1")
        async with asyncio.timeout(15):
            await seen.wait()


async def _is(awaitable, wanted) -> bool:
    return await awaitable == wanted
