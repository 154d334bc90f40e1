import anyio
import pytest

from services.match import phrasing
from shared import rpc
from shared.errors import NeedsModel
from shared.events import ChatReply, ChatRequest, MatchFind
from tests.match.conftest import need, provider


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        ("Ana fits well: 92 of 100, at 80.00 USD.", True),
        ("Ana fits well: 93 of 100.", False),
        ("Ana asks 80 USD.", False),
        ("", False),
        ("Ana " * 999, False),
    ],
)
def test_words_with_numbers_of_their_own_are_sent_away(words, taken):
    facts = "Ana scores 92 of 100, with 76 % known. Asks 80.00 USD, 90.00 USD is allowed."
    assert phrasing.sound(words, facts) is taken


async def found(here):
    await here.add(provider("ana"), need("n1"))
    return (await here.handlers.find(MatchFind(need_id="n1", phrase=True))).scores[0]


async def test_without_a_model_the_reasons_are_told_by_rules(host):
    async with host() as here:
        one = await found(here)
        assert one.phrase == phrasing.sentences(one)
        assert one.phrase.startswith("Ana scores ") and not one.phrased_by_model


async def test_a_model_may_say_it_but_not_count(host, bus):
    said = []

    async def chat(ask: ChatRequest) -> ChatReply:
        assert not ask.allow_offline
        if said[-1] is None:
            raise NeedsModel("no model here")
        return ChatReply(request_id="r", content=said[-1], model="m", engine="ollama", is_llm=True)

    async with host() as here, anyio.create_task_group() as tasks:
        endpoints = await rpc.register(bus, "router", "1.0.0", {}, tasks)
        await endpoints.answer("model.chat", ChatRequest, chat)
        await bus.nc.flush()
        for words in ("Ana is the right one.", "Ana scores 99.", None):
            said.append(words)
            one = await found(here)
            assert one.phrased_by_model is (words == "Ana is the right one.")
            assert one.phrase == (words if one.phrased_by_model else phrasing.sentences(one))
        await endpoints.stop()
        tasks.cancel_scope.cancel()
