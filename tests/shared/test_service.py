import asyncio
import os
import signal
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from shared.broker import make_broker
from shared.bus import decode
from shared.errors import SovereignError, Unavailable
from shared.events import Beat, TaskRequest

ROOT = Path(__file__).parents[2]
PROGRAM = "from shared.service import main; main('sample', 'tests.shared.sample')"


@asynccontextmanager
async def sample(settings, **environment):
    """Start the sample service as a process and kill it in the end."""
    given = {
        "SOVEREIGN_NATS__URL": settings.nats_url,
        "SOVEREIGN_INSTANCE": "sample-1",
        "SOVEREIGN_OPS__BEAT_S": "0.2",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, stderr=asyncio.subprocess.PIPE,
        env=os.environ | given | environment, cwd=ROOT,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def beats(bus, wanted: str) -> Beat:
    """Return the first beat of the sample in a state."""
    subscription = await bus.nc.subscribe("health.beat.sample.*")
    with anyio.fail_after(20):
        async for message in subscription.messages:
            beat = decode(message.data, Beat)
            if beat.state == wanted:
                await subscription.unsubscribe()
                return beat
    raise AssertionError


async def test_it_tells_the_manager_above_that_it_is_ready_alive_and_stopping(
    bus, settings, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("n")
        manager.settimeout(30)
        async with sample(settings, NOTIFY_SOCKET=str(Path.cwd() / "n")) as process:
            heard: list[bytes] = []
            while not {b"READY=1", b"WATCHDOG=1"} <= set(heard):
                heard.append(await asyncio.to_thread(manager.recv, 100))
            process.send_signal(signal.SIGTERM)
            while heard[-1] != b"STOPPING=1":
                heard.append(await asyncio.to_thread(manager.recv, 100))
            assert await process.wait() == 0


async def test_while_its_circuit_is_open_requests_are_refused_at_once(bus, settings):
    async with sample(settings, SOVEREIGN_OPS__CIRCUIT_S="1.5") as process:
        await beats(bus, "ready")
        process.send_signal(signal.SIGUSR1)
        with pytest.raises(Unavailable, match="its circuit is open") as caught:
            while True:
                await bus.request("sample.echo", TaskRequest(title="x"), TaskRequest)
        assert 0 < caught.value.retry_after_s <= 1.5
        with anyio.fail_after(30):
            while True:
                try:
                    await bus.request("sample.echo", TaskRequest(title="x"), TaskRequest)
                    break
                except Unavailable:
                    await anyio.sleep(0.05)


async def test_it_beats_answers_and_says_goodbye(bus, settings):
    async with sample(settings) as process:
        ready = await beats(bus, "ready")
        assert (ready.instance, ready.pid) == ("sample-1", process.pid)
        asked = TaskRequest(title="hello")
        assert (await bus.request("sample.echo", asked, TaskRequest)).title == "hello"
        farewell = asyncio.create_task(beats(bus, "goodbye"))
        await asyncio.sleep(0)
        await bus.nc.flush()
        process.send_signal(signal.SIGTERM)
        assert (await farewell).boot == ready.boot
        assert await process.wait() == 0


async def test_a_loop_that_fails_takes_the_process_down(bus, settings):
    async with sample(settings) as process:
        await beats(bus, "ready")
        await bus.request("sample.echo", TaskRequest(title="crash"), TaskRequest)
        _, errors = await process.communicate()
        assert process.returncode == 1
        assert b"a loop of the room failed" in errors


async def test_it_is_back_after_a_server_restart(bus, settings, nats_server):
    async with sample(settings) as process:
        await beats(bus, "ready")
        nats_server.kill()
        nats_server.start()
        with anyio.fail_after(15):
            while await _silent(bus):  # noqa: ASYNC110 - asking is the only way to know
                await asyncio.sleep(0.1)
        assert process.returncode is None


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.6])
async def test_it_leaves_in_peace_when_the_server_left_before(bus, settings, nats_server, after_s):
    async with sample(settings) as process:
        await beats(bus, "ready")
        nats_server.kill()
        await asyncio.sleep(after_s)
        process.send_signal(signal.SIGTERM)
        _, errors = await process.communicate()
        nats_server.start()
    assert (process.returncode, b"Traceback" in errors) == (0, False), errors.decode()


async def test_a_broker_stops_in_peace_when_the_server_left_before(settings, nats_server):
    broker = make_broker(settings, "sample")
    await broker.start()
    nats_server.kill()
    await asyncio.sleep(0.1)
    await broker.stop()
    nats_server.start()


async def _silent(bus) -> bool:
    try:
        return not await bus.request("sample.echo", TaskRequest(title="x"), TaskRequest, 1.0)
    except SovereignError:
        return True


async def test_a_wrong_setting_is_one_line_and_exit_2(settings):
    async with sample(settings, SOVEREIGN_DASHBOARD__PORT="x") as process:
        _, errors = await process.communicate()
        assert process.returncode == 2
        assert errors.decode().count("\n") == 1
        assert "SOVEREIGN_DASHBOARD__PORT" in errors.decode()


async def test_it_leaves_when_its_supervisor_is_gone(settings):
    async with sample(settings, SOVEREIGN_PARENT_PID="1") as process:
        await process.communicate()
        assert process.returncode == 1


@pytest.mark.parametrize("missing", ["tests.shared.nowhere_to_be_found"])
async def test_a_missing_extra_says_what_to_install(settings, missing):
    program = f"from shared.service import main; main('sample', {missing!r})"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stderr=asyncio.subprocess.PIPE, cwd=ROOT
    )
    _, errors = await process.communicate()
    assert (process.returncode, b"pip install 'sovereign[sample]'" in errors) == (2, True)


async def test_it_leaves_while_it_waits_for_a_server(settings):
    async with sample(settings, SOVEREIGN_NATS__URL="nats://127.0.0.1:1") as process:
        async for line in process.stderr:
            if b"waiting for NATS" in line:
                break
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
