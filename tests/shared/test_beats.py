import asyncio

from shared.beats import Heart
from shared.events import Beat


async def test_beats_are_numbered_and_say_what_the_room_wants(bus):
    inbox = await bus.nc.subscribe("health.beat.sample.one")
    heart = Heart(bus, ("sample", "one", "here"), interval_s=0.01)
    heart.info = lambda: {"engine": "x"}
    running = asyncio.create_task(heart.run())
    beats = [Beat.model_validate_json((await inbox.next_msg(2)).data) for _ in range(3)]
    running.cancel()
    assert [beat.seq for beat in beats] == [0, 1, 2]
    assert beats[0].info == {"engine": "x"}


async def test_no_beat_is_kept_for_later_while_the_bus_is_away(bus, nats_server):
    heart = Heart(bus, ("sample", "one", "here"), interval_s=1.0)
    lost = asyncio.Event()

    async def gone():
        lost.set()

    bus.nc._disconnected_cb = gone
    nats_server.kill()
    await lost.wait()
    for _ in range(10_000):
        await heart.beat()
    assert bus.nc.pending_data_size == 0
