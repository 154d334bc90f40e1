import orjson
import pytest

from shared.errors import ModelMissing, Refused, from_envelope
from shared.events import Empty, ModelList, PullAsk, PullProgress
from tests.router.conftest import ask, chat


async def pulled(bus, model: str) -> list[PullProgress]:
    inbox = await bus.nc.subscribe(bus.nc.new_inbox())
    asked = PullAsk(model=model).model_dump_json().encode()
    await bus.nc.publish("model.pull", asked, inbox.subject)
    told: list[PullProgress] = []
    while not told or told[-1].type != "final":
        message = await inbox.next_msg(5)
        if b'"error"' in message.data:
            raise from_envelope(orjson.loads(message.data))
        told.append(PullProgress.model_validate_json(message.data))
    return told


async def test_a_pull_tells_bytes_over_all_layers_and_then_the_model_answers(bus, router, fake):
    fake.models.clear()
    async with router(reprobe_s=60.0):
        told = await pulled(bus, "llama3.1:8b")
        assert (await chat(bus, ask())).is_llm
    bytes_told = [(one.completed, one.total) for one in told if one.total]
    assert bytes_told[:3] == [(500, 1000), (550, 1100), (1050, 1100)]
    assert (told[-1].status, told[-1].completed) == ("success", 1100)


async def test_a_model_that_no_registry_knows_is_an_error(bus, router):
    async with router():
        with pytest.raises(ModelMissing):
            await pulled(bus, "missing-model")


async def test_a_cloud_name_is_not_pulled(bus, router, fake):
    async with router():
        with pytest.raises(Refused):
            await pulled(bus, "gpt-oss:120b-cloud")


async def test_models_that_are_not_local_are_shown_as_not_allowed(bus, router, fake):
    fake.models.add("remote-big:latest")
    async with router():
        listed = await bus.request("model.models", Empty(), ModelList)
    allowed = {model.name: model.allowed for model in listed.models}
    assert allowed["remote-big:latest"] is False
    assert allowed["llama3.1:8b"] is True
