"""The crew in one process on the real bus, with a model of one line behind `model.chat`."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import orjson

from services.agents.app import start
from services.agents.journal import Journal
from services.agents.room import Room, open_room
from services.agents.station import Station
from shared.bus import Bus, decode, encode
from shared.events.health import Beat
from shared.events.journal import JournalEntry
from shared.events.models import ChatChunk, ChatReply, ChatRequest, EngineStatus, ModelCancel
from shared.events.tasks import TaskRequest, TaskResult, TaskView
from shared.reading import last_of, read_subject

Answer = Callable[[ChatRequest], Awaitable[ChatReply | dict]]


def reply(request: ChatRequest, content: str = "", **more) -> ChatReply:
    given = {"engine": "ollama", "model": "tiny", "is_llm": True, "prompt_tokens": 10,
             "completion_tokens": 5} | more  # fmt: skip
    text = content or f"- {request.agent} did {request.step_id}"
    return ChatReply(request_id=request.request_id, content=text, **given)


@dataclass
class Model:
    """Answers `model.chat`; remembers what it was asked and what was taken back."""

    bus: Bus
    answer: Answer | None = None
    asked: list[ChatRequest] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    tasks: set[asyncio.Task] = field(default_factory=set)

    subscriptions: list = field(default_factory=list)

    async def start(self) -> None:
        self.subscriptions = [
            await self.bus.nc.subscribe("model.chat", "router", cb=self._on_chat),
            await self.bus.nc.subscribe("model.cancel", cb=self._on_cancel),
        ]
        await self.bus.nc.flush()

    async def stop(self) -> None:
        for subscription in self.subscriptions:
            await subscription.unsubscribe()
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _on_chat(self, message) -> None:
        task = asyncio.create_task(self._serve(message))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _serve(self, message) -> None:
        request = decode(message.data, ChatRequest)
        self.asked.append(request)
        answer = await self.answer(request) if self.answer else reply(request)
        if isinstance(answer, dict):
            await message.respond(orjson.dumps(answer))
            return
        for index, word in enumerate(answer.content.split(" ")):
            chunk = ChatChunk(request_id=request.request_id, index=index, delta=word + " ")
            await message.respond(encode(chunk))
        await message.respond(encode(answer))

    async def _on_cancel(self, message) -> None:
        self.cancelled.append(decode(message.data, ModelCancel).request_id)

    async def beat(self, room: Room, **status) -> None:
        given = {"engine": "ollama", "setting": "auto", "state": "ready", "is_llm": True,
                 "slots": 1} | status  # fmt: skip
        info = {"engine": EngineStatus(**given).model_dump(mode="json")}
        beat = Beat(service="router", instance="r", host="h", boot="b", pid=1, seq=1,
                    state="ready", info=info)  # fmt: skip
        room.routers.hear(beat)


@asynccontextmanager
async def crew(bus, settings, name="agents-1"):
    """Run manager and workers; cancelled at the end, so that they give back what they hold."""
    room = await open_room(bus, settings, name)
    stations = [Station(room, spec) for spec in room.crew.values()]
    async with anyio.create_task_group() as tasks:
        await start(room, stations, tasks)
        yield room
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def model(bus, answer: Answer | None = None):
    fake = Model(bus, answer)
    await fake.start()
    yield fake
    await fake.stop()


async def submit(bus, task_id="t1", priority="normal", title="List the open items", **more):
    request = TaskRequest(task_id=task_id, title=title, **more)
    return await bus.publish(f"task.request.{priority}", request, f"{task_id}-request")


async def result(bus, task_id="t1", run=1, within=20.0) -> TaskResult:
    """Return the final result once it is stored."""
    with anyio.fail_after(within):
        while True:
            last = await last_of(bus, "RESULTS", f"agent.result.crew.{task_id}")
            if last is not None and decode(last.data, TaskResult).run >= run:
                return decode(last.data, TaskResult)
            await asyncio.sleep(0.02)


async def view(bus, task_id="t1") -> TaskView:
    bucket = await bus.js.key_value("tasks")
    return decode((await bucket.get(task_id)).value, TaskView)


async def until_state(bus, state, task_id="t1", within=20.0) -> TaskView:
    with anyio.fail_after(within):
        while True:
            record = await Journal(bus).find(task_id)
            if record is not None and record.state == state:
                return record
            await asyncio.sleep(0.02)


async def entries(bus, task_id="t1") -> list:
    stored = await read_subject(bus, "JOURNAL", f"task.journal.{task_id}")
    return [decode(each.data, JournalEntry).root for each in stored]


async def kinds(bus, task_id="t1") -> list[str]:
    return [entry.kind for entry in await entries(bus, task_id)]


async def dead(bus, stream="TASKS", within=15.0) -> dict:
    with anyio.fail_after(within):
        while True:
            last = await last_of(bus, "DEAD", f"dead.{stream}")
            if last is not None:
                return orjson.loads(last.data)
            await asyncio.sleep(0.05)


async def until(check: Callable[[], Awaitable[bool] | bool], within=15.0) -> None:
    """Wait for what nobody tells."""
    with anyio.fail_after(within):
        while not (await found if isinstance(found := check(), Awaitable) else found):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def stored(bus, stream: str) -> int:
    return (await bus.js.stream_info(stream)).state.messages
