import asyncio

import pytest

from shared.errors import Cancelled, ModelMissing
from shared.events import (
    CostEvent,
    EmbedReply,
    EmbedRequest,
    ModelCancel,
    SuggestAsk,
    SuggestReply,
)
from tests.router.embedding.conftest import asked


async def made(bus, *texts: str, **fields) -> EmbedReply:
    return await bus.request("model.embed", EmbedRequest(input=texts, **fields), EmbedReply, 30.0)


async def test_a_request_on_the_bus_is_answered_told_and_can_be_taken_back(bus, router, fake):
    costs = await bus.nc.subscribe("cost.event")
    async with router():
        assert (await made(bus, "a", agent="builder")).cache == "miss"
        fake.embed_gate.clear()
        held = asyncio.create_task(made(bus, "b", request_id="r1"))
        await asked(fake, 2)
        await bus.emit("model.cancel", ModelCancel(request_id="r1"))
        with pytest.raises(Cancelled):
            await held
        fake.embed_gate.set()
        assert (await made(bus, "b")).cache == "miss"
        with pytest.raises(ModelMissing):
            await made(bus, "a", model="missing")
        told = [CostEvent.model_validate_json((await costs.next_msg(30)).data) for _ in range(4)]
    assert [one.error for one in told] == [None, "cancelled", None, "model_missing"]
    assert {one.kind for one in told} == {"embed"}
    assert told[0].agent == "builder"


async def test_suggestions_ask_for_their_vectors_like_everybody(bus, router, fake):
    costs = await bus.nc.subscribe("cost.event")
    async with router(suggestions=True, shared_cache=False):
        await bus.request("model.suggest", SuggestAsk(text="hello"), SuggestReply, 30.0)
        told = CostEvent.model_validate_json((await costs.next_msg(30)).data)
    assert (told.kind, told.texts) == ("embed", 1)
