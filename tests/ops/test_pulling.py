import asyncio

from services.ops import pulling
from shared.bus import encode
from shared.events import EngineStatus
from shared.events.reports import PullAsk, PullProgress
from shared.settings import Settings

MISSING = EngineStatus(engine="offline", setting="auto", state="model_missing", is_llm=False)


def test_progress_is_told_in_whole_percent():
    told = PullProgress(model="m", status="pulling", completed=1, total=3)
    assert pulling.progress_line(told) == "pull m: pulling 33 %"
    assert pulling.progress_line(PullProgress(model="m", status="verifying")) == "pull m: verifying"


async def test_a_pull_shows_its_steps_until_the_final_one(bus, capsys):
    async def router(message):
        model = PullAsk.model_validate_json(message.data).model
        for status, kind in (
            ("pulling", "progress"),
            ("pulling", "progress"),
            ("success", "final"),
        ):
            await message.respond(encode(PullProgress(type=kind, model=model, status=status)))

    await bus.nc.subscribe("model.pull", cb=router)
    assert await pulling.fetch(bus, "m")
    assert capsys.readouterr().err.splitlines() == ["pull m: pulling", "pull m: success"]


async def test_nobody_is_asked_without_a_terminal(bus, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    await pulling.offer(bus, Settings(), MISSING, pull=False)
    assert "ollama pull llama3.1:8b" in capsys.readouterr().err


async def test_an_engine_that_is_ready_needs_no_pull(bus, capsys):
    await pulling.offer(bus, Settings(), MISSING.model_copy(update={"state": "ready"}), pull=True)
    await asyncio.sleep(0)
    assert capsys.readouterr().err == ""
