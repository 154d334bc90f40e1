"""Aliases, fallbacks and measured quality through a whole router."""

import pytest

from services.router import clouds
from services.router.policy.steps import judged
from services.router.record import open_record
from shared.errors import InvalidSetting, ModelMissing, OutputCut
from shared.events import ChatOptions, Empty, PolicyReport, StepResult
from shared.events.base import Reason
from shared.settings import CloudModel, RouterSettings, Settings
from tests.router.conftest import ask, chat


async def test_the_next_model_answers_and_the_reply_says_why(bus, router):
    async with router(fallbacks={"crash": "missing-one, llama3.1:8b"}):
        reply = await chat(bus, ask(model="crash"))
        other = await chat(bus, ask())
    assert reply.model == "llama3.1:8b"
    assert reply.rule == "named; after missing-one: model_missing"
    assert other.rule == "default"


async def test_a_model_that_may_not_be_asked_leads_to_the_next(bus, router):
    async with router(fallbacks={"remote": "llama3.1:8b"}):
        reply = await chat(bus, ask(model="remote"))
    assert reply.rule == "named; after remote: refused"


async def test_the_record_has_each_models_own_time_the_reply_the_callers(bus, router):
    async with router(fallbacks={"stall": "llama3.1:8b"}, idle_s=0.1) as service:
        reply = await chat(bus, ask(model="stall"))
    async with open_record(service.settings.data_dir / "router" / "calls.db") as record:
        rows = await record.rows("SELECT model, total_s FROM calls ORDER BY id")
    assert [row["model"] for row in rows] == ["stall", "llama3.1:8b"]
    assert sum(row["total_s"] for row in rows) <= reply.times.total_s


async def test_when_all_fail_the_last_failure_is_told(bus, router, fake):
    async with router(fallbacks={"crash": "missing-one"}):
        with pytest.raises(ModelMissing, match="missing-one"):
            await chat(bus, ask(model="crash"))


async def test_no_other_model_goes_on_where_one_was_cut_in_the_middle(bus, router, fake):
    async with router(fallbacks={"nodone": "llama3.1:8b"}):
        inbox = await bus.nc.subscribe(bus.nc.new_inbox())
        asked = ask(model="nodone", stream=True).model_dump_json().encode()
        await bus.nc.publish("model.chat", asked, inbox.subject)
        while b"engine_failed" not in (await inbox.next_msg(5)).data:
            pass
        assert fake.stats.chats == 1
        assert (await chat(bus, ask(model="nodone"))).model == "llama3.1:8b"


async def test_failures_of_a_model_count_in_its_measured_quality(bus, router, monkeypatch):
    monkeypatch.setattr("services.router.policy.quality.EVERY_S", 0.05)
    async with router(max_tokens=2):
        for n in range(3):
            with pytest.raises(OutputCut):
                await chat(bus, ask(f"many words {n}", agent="builder"))
        few = ChatOptions(temperature=0, max_tokens=1)
        await chat(bus, ask("x", agent="builder", options=few))
        await bus.publish("agent.result.builder.t1", step(verified=False), "one")
        while not (line := await quality(bus, "builder")) or (line.calls, line.steps) != (4, 1):
            pass
    assert (line.cut, line.failed_steps) == (3, 1)
    assert line.good == pytest.approx(1 / 5)


async def quality(bus, kind: str):
    told = await bus.request("model.policy", Empty(), PolicyReport)
    return next((one for one in told.quality if one.kind == kind), None)


def step(**fields) -> StepResult:
    usual = {"task_id": "t1", "step_id": "s1", "agent": "builder", "title": "t", "state": "done",
             "is_llm": True, "model": "llama3.1:8b"}  # fmt: skip
    return StepResult(**usual | fields)


def test_only_what_says_something_about_the_model_is_judged():
    assert judged(step(verified=True)) is True
    assert judged(step(verified=False)) is False
    assert judged(step(verified=None)) is None
    assert judged(step(verified=True, is_llm=False)) is None
    invalid = Reason(code="output_invalid", message="")
    assert judged(step(state="failed", reason=invalid)) is False
    assert judged(step(state="failed", reason=Reason(code="unavailable", message=""))) is None


def test_a_cloud_whose_price_nobody_knows_stops_the_start():
    cloud = CloudModel(model="openai/no-such-model", usd_per_month=5)
    settings = Settings(host="here", router=RouterSettings(clouds={"far": cloud}))
    with pytest.raises(InvalidSetting, match="price of openai/no-such-model"):
        clouds.engines(settings)
