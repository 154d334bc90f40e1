import asyncio
from contextlib import asynccontextmanager

import anyio
import pytest

from shared import rpc
from shared.errors import Busy, InvalidInput, NeedsModel, SovereignError
from shared.events import SearchAsk, SearchReply, TaskRequest


@asynccontextmanager
async def answering(bus):
    async with anyio.create_task_group() as tasks:
        yield await rpc.register(bus, "sample", "1.0.0", {"host": "here"}, tasks)
        tasks.cancel_scope.cancel()


def ask(query: str = "x") -> SearchAsk:
    return SearchAsk(namespace="main", query=query)


async def test_a_typed_reply_comes_back(bus):
    async with answering(bus) as endpoints:

        async def handler(asked: SearchAsk) -> TaskRequest:
            return TaskRequest(title=asked.query)

        await endpoints.answer("sample.echo", SearchAsk, handler)
        assert (await bus.request("sample.echo", ask("hello"), TaskRequest)).title == "hello"


async def test_an_error_arrives_as_its_own_type(bus):
    async with answering(bus) as endpoints:

        async def handler(asked: SearchAsk) -> SearchReply:
            raise NeedsModel("no model here", retry_after_s=5)

        await endpoints.answer("sample.fails", SearchAsk, handler)
        with pytest.raises(NeedsModel) as caught:
            await bus.request("sample.fails", ask(), TaskRequest)
        assert caught.value.retry_after_s == 5


async def test_an_error_is_no_reply_of_defaults(bus):
    async with answering(bus) as endpoints:

        async def handler(asked: SearchAsk) -> SearchReply:
            raise NeedsModel("no model here")

        await endpoints.answer("sample.fails", SearchAsk, handler)
        with pytest.raises(NeedsModel):
            await bus.request("sample.fails", ask(), SearchReply)


async def test_an_unexpected_error_is_answered_too(bus):
    async with answering(bus) as endpoints:

        async def handler(asked: SearchAsk) -> SearchReply:
            raise ZeroDivisionError

        await endpoints.answer("sample.crash", SearchAsk, handler)
        with pytest.raises(SovereignError, match="ZeroDivisionError"):
            await bus.request("sample.crash", ask(), TaskRequest)


async def test_malformed_requests_name_the_field(bus):
    async with answering(bus) as endpoints:

        async def handler(asked: SearchAsk) -> SearchReply:
            return SearchReply()

        await endpoints.answer("sample.strict", SearchAsk, handler)
        with pytest.raises(InvalidInput) as caught:
            await bus.request("sample.strict", TaskRequest(title="x"), TaskRequest)
        assert caught.value.field == "namespace"


async def test_many_at_once_up_to_the_limit_then_busy(bus):
    async with answering(bus) as endpoints:
        gate = asyncio.Event()

        async def handler(asked: SearchAsk) -> TaskRequest:
            await gate.wait()
            return TaskRequest(title="done")

        await endpoints.answer_many("sample.slow", SearchAsk, handler, limit=2)
        held = [
            asyncio.create_task(bus.request("sample.slow", ask(), TaskRequest)) for _ in range(2)
        ]
        await bus.nc.flush()
        with pytest.raises(Busy):
            await bus.request("sample.slow", ask(), TaskRequest)
        gate.set()
        assert [reply.title for reply in await asyncio.gather(*held)] == ["done", "done"]


async def test_the_service_is_discoverable(bus):
    async with answering(bus):
        answer = await bus.nc.request("$SRV.INFO.sample", b"", 2)
        assert b'"host":"here"' in answer.data.replace(b" ", b"")


async def test_a_request_without_a_reply_subject_ends_nothing(bus):
    async with answering(bus) as endpoints:
        done = asyncio.Event()

        async def handler(asked: SearchAsk) -> TaskRequest:
            done.set()
            return TaskRequest(title=asked.query)

        await endpoints.answer_many("sample.mute", SearchAsk, handler, limit=2)
        await bus.nc.publish("sample.mute", b"not json")
        await bus.nc.publish("sample.mute", ask("x").model_dump_json().encode())
        await done.wait()
        assert (await bus.request("sample.mute", ask("y"), TaskRequest)).title == "y"
