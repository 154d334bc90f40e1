import asyncio

import pytest

from shared.errors import (
    Cancelled,
    InvalidInput,
    ModelMissing,
    NeedsModel,
    OutputCut,
    Refused,
    TimedOut,
)
from shared.events import ChatChunk, ChatOptions, ChatReply, ModelCancel
from tests.router.conftest import ask, chat, until


async def test_a_question_is_answered_by_the_model(bus, router):
    async with router():
        reply = await chat(bus, ask("<task>count the ships</task>"))
    assert (reply.engine, reply.model, reply.is_llm) == ("ollama", "llama3.1:8b", True)
    assert "count the ships" in reply.content
    assert reply.prompt_tokens > 0
    assert reply.times.eval_s is not None


async def test_chunks_come_before_the_final_reply_and_join_to_it(bus, router):
    async with router():
        inbox = await bus.nc.subscribe(bus.nc.new_inbox())
        request = ask("one two three", stream=True)
        await bus.nc.publish("model.chat", request.model_dump_json().encode(), inbox.subject)
        told = []
        while True:
            message = await inbox.next_msg(5)
            if b'"type":"final"' in message.data:
                break
            told.append(ChatChunk.model_validate_json(message.data))
    reply = ChatReply.model_validate_json(message.data)
    assert [chunk.index for chunk in told] == list(range(len(told)))
    assert len(told) > 1
    assert "".join(chunk.delta for chunk in told) == reply.content


async def test_a_cancelled_request_ends_upstream_and_frees_its_slot(bus, router, fake):
    async with router():
        held = asyncio.create_task(chat(bus, ask(model="stall", request_id="r1")))
        await until(lambda: fake.stats.open_streams == 1)
        await bus.emit("model.cancel", ModelCancel(request_id="r1", reason="enough"))
        with pytest.raises(Cancelled, match="enough"):
            await held
        await until(lambda: fake.stats.open_streams == 0)
        assert (await chat(bus, ask())).is_llm


async def test_a_cancel_for_an_unknown_request_or_without_sense_is_harmless(bus, router):
    async with router():
        await bus.nc.publish("model.cancel", b'{"request_id": "nobody"}')
        await bus.nc.publish("model.cancel", b"garbage")
        assert (await chat(bus, ask())).is_llm


async def test_a_request_that_nobody_waits_for_ends_nothing(bus, router, fake):
    async with router():
        for request in (ask(), ask(stream=True, cache="off")):
            await bus.nc.publish("model.chat", request.model_dump_json().encode())
        await bus.nc.publish("model.chat", b"garbage")
        await bus.nc.publish("model.pull", b"garbage")
        await until(lambda: fake.stats.chats == 2)
        assert (await chat(bus, ask())).cache == "hit"


async def test_the_deadline_of_a_request_closes_the_stream(bus, router, fake):
    async with router():
        with pytest.raises(TimedOut, match=r"no answer in 0\.2 s"):
            await chat(bus, ask(model="stall", timeout_s=0.2))
        await until(lambda: fake.stats.open_streams == 0)


async def test_requests_run_side_by_side_up_to_the_slots(bus, router, fake):
    async with router(slots=3):
        asked = [chat(bus, ask(f"{n}", model="slow"), 20.0) for n in range(9)]
        await asyncio.gather(*asked)
    assert fake.stats.most_open == 3


async def test_names_that_leave_the_host_are_refused(bus, router, fake):
    async with router():
        for name in ("gpt-oss:120b-cloud", "kimi:cloud", "remote-model"):
            with pytest.raises(Refused, match="ALLOW_REMOTE"):
                await chat(bus, ask(model=name))
    assert fake.stats.chats == 0


async def test_a_remote_model_answers_when_the_owner_allows_it(bus, router):
    async with router(allow_remote=True):
        reply = await chat(bus, ask(model="remote-model"))
    assert reply.cost_usd is None


async def test_a_missing_model_is_named(bus, router):
    async with router():
        with pytest.raises(ModelMissing, match="missing-one"):
            await chat(bus, ask(model="missing-one"))


async def test_an_alias_stands_for_a_model(bus, router):
    async with router(aliases={"fast": "llama3.1:8b"}):
        assert (await chat(bus, ask(model="fast"))).model == "llama3.1:8b"


async def test_malformed_requests_name_the_field(bus, router):
    async with router():
        answer = await bus.nc.request("model.chat", b'{"messages": []}', 2)
        assert b'"field":"messages"' in answer.data
        with pytest.raises(InvalidInput) as caught:
            await chat(bus, ask(format="json", tools=({"type": "function"},)))
    assert caught.value.field == "format"


async def test_a_limit_set_by_the_caller_cuts_honestly_ours_is_an_error(bus, router):
    async with router(max_tokens=2):
        reply = await chat(bus, ask(options=ChatOptions(temperature=0, max_tokens=1)))
        assert reply.done_reason == "length"
        with pytest.raises(OutputCut):
            await chat(bus, ask("many words please"))


async def test_what_only_a_model_can_answer_waits_for_one(bus, router, fake):
    fake.models.clear()
    async with router():
        with pytest.raises(NeedsModel):
            await chat(bus, ask(allow_offline=False))
        fake.models.add("llama3.1:8b")
        while True:
            try:
                reply = await chat(bus, ask(allow_offline=False))
                break
            except NeedsModel:
                await asyncio.sleep(0.02)
    assert reply.is_llm
