"""Suggestions from a whole router."""

import pytest

from shared.errors import InvalidInput, NeedsModel
from shared.events import SuggestAsk, SuggestReply
from tests.router.conftest import ask, chat


async def suggested(bus, **fields) -> SuggestReply:
    return await bus.request("model.suggest", SuggestAsk(**fields), SuggestReply, 10)


async def learned(bus, count: int) -> None:
    """Return when so many questions are known; learning comes after the answer."""
    while (await suggested(bus, text="x", at_least=-1)).known < count:
        pass


async def test_what_was_answered_is_suggested_with_its_answer(bus, router):
    async with router(suggestions=True, shared_cache=False):
        reply = await chat(bus, ask("how do I renew the certificate"))
        await learned(bus, 1)
        told = await suggested(bus, text="how do I renew the certificate")
        assert [each.answer for each in told.suggestions] == [reply.content]
        assert told.suggestions[0].similarity == pytest.approx(1.0, abs=1e-3)


async def test_a_suggestion_never_takes_the_place_of_an_answer(bus, router, fake):
    async with router(suggestions=True, shared_cache=False):
        await chat(bus, ask("turn the lights on"))
        await learned(bus, 1)
        assert (await chat(bus, ask("turn the lights off"))).cache == "miss"


async def test_without_the_setting_it_is_refused_by_name(bus, router):
    async with router(shared_cache=False):
        with pytest.raises(InvalidInput, match="SUGGESTIONS"):
            await suggested(bus, text="anything")


async def test_without_a_model_for_vectors_it_says_so(bus, router):
    async with router("offline", suggestions=True, shared_cache=False):
        with pytest.raises(NeedsModel):
            await suggested(bus, text="anything")
