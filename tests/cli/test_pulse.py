import asyncio

import pytest

from cli.pulse import hear, hear_with_client, main
from shared.events import Beat
from shared.subjects import health_beat

SUBJECT = "health.beat.router.*"


@pytest.fixture
def here(settings, monkeypatch):
    monkeypatch.setattr("cli.pulse.WAIT_S", 1.0)
    monkeypatch.setenv("SOVEREIGN_HOST", "here")
    monkeypatch.setenv("SOVEREIGN_NATS__URL", settings.nats_url)


async def beating(bus, check, host="here", state="ready"):
    """Beat while `check` runs in a thread; return what it found."""
    beat = Beat(
        service="router", instance="r-1", host=host, boot="b", pid=1, seq=1, state=state,
    )  # fmt: skip
    checking = asyncio.create_task(asyncio.to_thread(*check))
    while not checking.done():
        await bus.emit(health_beat("router", "r-1"), beat)
        await asyncio.wait([checking], timeout=0.05)
    return checking.result()


async def test_a_beat_of_this_host_is_life(bus, here):
    assert await beating(bus, (main, ["router"])) == 0


async def test_a_neighbour_or_a_start_is_not(bus, here, capfd):
    assert await beating(bus, (main, ["router"]), host="there") == 1
    assert await beating(bus, (main, ["router"]), state="starting") == 1
    assert "no beat of here" in capfd.readouterr().err


async def test_silence_is_not(bus, here, settings):
    assert await asyncio.to_thread(hear, settings.nats_url, SUBJECT, "here") is False


async def test_the_client_hears_the_same(bus, here):
    assert await beating(bus, (hear_with_client, SUBJECT, "here")) is True


def test_no_server_is_one_line(monkeypatch, capfd):
    monkeypatch.setenv("SOVEREIGN_NATS__URL", "nats://127.0.0.1:1")
    assert main(["router"]) == 1
    assert capfd.readouterr().err.count("\n") == 1
