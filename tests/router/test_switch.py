"""The engine comes and goes; the switch notices."""

import pytest

from services.router.engine import Answer
from services.router.offline_engine import OfflineEngine
from services.router.switch import Switch
from shared.errors import NeedsModel, Refused
from shared.events import EngineStatus
from shared.settings import Settings


class Model:
    """An engine that is what `state` says."""

    name = "ollama"
    is_llm = True
    own = True
    held = ""

    def __init__(self, state: str) -> None:
        self.state = state

    async def probe(self) -> EngineStatus:
        return EngineStatus(
            engine="ollama", setting="auto", state=self.state, is_llm=True, detail="why"
        )

    async def identity(self, model: str) -> str:
        return "digest" if model == self.held else ""

    async def chat(self, request, on_delta) -> Answer:
        raise AssertionError

    embed = chat

    async def close(self) -> None:
        pass


def made(state: str, setting: str = "auto") -> tuple[Switch, Model]:
    model = Model(state)
    settings = Settings(host="here", engine=setting)
    return Switch(settings, model, OfflineEngine(setting, "here")), model


async def test_a_ready_engine_answers():
    switch, model = made("ready")
    await switch.probe()
    assert await switch.choose("m") is model


@pytest.mark.parametrize(
    ("state", "told"),
    [("absent", "offline"), ("model_missing", "model_missing"), ("refused", "refused")],
)
async def test_rules_stand_in_and_say_why(state, told):
    switch, _ = made(state)
    status = await switch.probe()
    assert (status.engine, status.state, status.is_llm) == ("offline", told, False)
    assert status.detail == "why"
    assert await switch.choose("m") is switch.offline


async def test_it_notices_both_ways():
    switch, model = made("absent")
    await switch.probe()
    model.state = "ready"
    assert (await switch.probe()).engine == "ollama"
    model.state = "absent"
    assert (await switch.probe()).engine == "offline"


async def test_one_slow_probe_of_a_ready_engine_is_overlooked_two_are_not():
    switch, model = made("ready")
    await switch.probe()
    model.state = "probing"
    assert (await switch.probe()).state == "ready"
    assert (await switch.probe()).state == "offline"


async def test_another_model_that_is_there_answers_although_the_default_is_missing():
    switch, model = made("model_missing")
    model.held = "small"
    await switch.probe()
    assert await switch.choose("small") is model
    assert await switch.choose("big") is switch.offline


async def test_an_engine_named_by_the_owner_has_no_stand_in():
    switch, model = made("absent", "ollama")
    await switch.probe()
    with pytest.raises(NeedsModel, match="why") as caught:
        await switch.choose("m")
    assert caught.value.retry_after_s == 5.0
    model.state = "refused"
    await switch.probe()
    with pytest.raises(Refused):
        await switch.choose("m")
