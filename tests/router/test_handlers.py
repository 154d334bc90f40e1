import anyio
import pytest

from services.router.handlers import ChatHandlers
from services.router.presence import Presence
from services.router.running import Running
from shared import rpc
from shared.errors import NeedsModel
from shared.events import ChatReply, ChatRequest
from shared.load import leant
from tests.router.conftest import ask


class WatchedDesk:
    """Notes whether the time in it counts as the router's own."""

    def __init__(self) -> None:
        self.waits: list[int] = []

    async def complete(self, asked: ChatRequest, tell: object) -> ChatReply:
        self.waits.append(leant().waits)
        raise NeedsModel("none here", retry_after_s=1.0)


async def test_a_model_that_takes_its_time_does_not_make_the_router_slow(bus):
    desk = WatchedDesk()
    handlers = ChatHandlers(desk, Running(), Presence(bus.nc))
    async with anyio.create_task_group() as tasks:
        endpoints = await rpc.register(bus, "router", "1.0.0", {}, tasks)
        await endpoints.answer_raw("model.chat", handlers.chat)
        with pytest.raises(NeedsModel):
            await bus.request("model.chat", ask(), ChatReply)
        tasks.cancel_scope.cancel()
    assert desk.waits == [1]
