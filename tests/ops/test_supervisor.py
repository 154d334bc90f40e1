import asyncio
import os
import signal
import subprocess
import sys

import psutil
import pytest

from shared.errors import Refused
from shared.events import CommandReply, SignedCommand
from tests.ops.conftest import HERE, gone, until


def refused(host, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run a supervisor that must not come up."""
    return subprocess.run(
        [sys.executable, str(HERE / "sample_host.py"), *arguments],
        env=host.environment() | environment, cwd=host.folder, capture_output=True, text=True,
        timeout=30,
    )  # fmt: skip


def test_four_aligned_lines_tell_that_it_is_up(host):
    words = [line.split()[0] for line in host.lines]
    assert words == ["bus", "data", "engine", "dashboard"]
    assert {line[:11].strip() for line in host.lines} == set(words)
    assert f"127.0.0.1:{host.settings.nats.port} (embedded" in host.lines[0]


async def test_a_killed_service_is_ready_again_and_recorded(host):
    async with host.bus() as bus:
        pid = (await until(bus, "started", "match")).evidence["pid"]
        os.kill(pid, signal.SIGKILL)
        exited = await until(bus, "exited", "match")
        restarted = await until(bus, "restarted", "match")
    assert exited.cause.startswith("killed by SIGKILL")
    assert restarted.duration_s < 0.1


async def test_a_signed_restart_is_done_and_a_replay_refused(host):
    async with host.bus() as bus:
        before = len(await _all(bus, "restarted"))
        subject, signed = host.command("restart", "sessions")
        assert (await bus.request(subject, signed, CommandReply)).accepted
        await until(bus, "exited", "sessions", cause="ops: a test")
        with pytest.raises(Refused, match="seen before"):
            await bus.request(subject, signed, CommandReply)
        while len(await _all(bus, "restarted")) == before:  # noqa: ASYNC110 - reading tells
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"host": "elsewhere"}, "host elsewhere"),
        ({"service": "router"}, "no service router"),
        ({"instance": "match-2"}, "no instance"),
        ({"revision": 0}, "stale"),
    ],
)
async def test_other_commands_are_refused_and_recorded(host, changes, reason):
    async with host.bus() as bus:
        subject, first = host.command("release", "match", revision=1)
        await bus.request(subject, first, CommandReply)
        _, signed = host.command("restart", changes.pop("service", "match"), **changes)
        with pytest.raises(Refused, match=reason):
            await bus.request(subject, signed, CommandReply)
        event = await until(bus, "refused", "")
    assert event.evidence["signer"] == signed.signer


async def test_a_forged_command_is_refused(host):
    async with host.bus() as bus:
        subject, good = host.command("restart", "match")
        forged = good.payload.replace("restart", "stop")
        with pytest.raises(Refused, match="signature"):
            await bus.request(subject, good.model_copy(update={"payload": forged}), CommandReply)
        stranger = SignedCommand(payload=good.payload, signer="U" * 56, signature="")
        with pytest.raises(Refused, match="not trusted"):
            await bus.request(subject, stranger, CommandReply)


async def test_a_crash_loop_is_quarantined_while_others_live(host):
    spoil = host.settings.data_dir / "crash-match"
    async with host.bus() as bus:
        untouched = await _pid(bus, "sessions")
        spoil.touch()
        await bus.request(*host.command("kill", "match"), CommandReply)
        event = await until(bus, "quarantined", "match")
        assert "told to crash" in event.cause
        assert await _pid(bus, "sessions") == untouched
        spoil.unlink()
        await bus.request(*host.command("release", "match"), CommandReply)


async def test_a_wrong_setting_is_quarantined_with_its_line(host):
    spoil = host.settings.data_dir / "usage-sessions"
    async with host.bus() as bus:
        spoil.touch()
        await bus.request(*host.command("restart", "sessions"), CommandReply)
        event = await until(bus, "quarantined", "sessions")
        spoil.unlink()
        await bus.request(*host.command("release", "sessions"), CommandReply)
    assert event.cause.endswith("SOVEREIGN_SAMPLE: told to refuse")


async def test_a_killed_server_is_back_and_the_services_stay(host):
    server = next(p for p in host.processes() if p.name() == "nats-server")
    async with host.bus() as bus:
        pid = await _pid(bus, "match")
    server.kill()
    while True:
        try:
            async with host.bus() as bus:
                event = await until(bus, "bus", "nats")
                break
        except Exception:
            continue
    assert event.cause == "nats-server killed by SIGKILL"
    assert psutil.pid_exists(pid)


def test_a_second_supervisor_on_the_same_folder_is_refused(host):
    result = refused(host, "match")
    assert result.returncode == 2
    assert result.stderr.startswith("sovereign up: SOVEREIGN_DATA_DIR: another supervisor")
    assert result.stderr.count("\n") == 1


def test_a_taken_port_is_one_line_that_names_it(host, tmp_path):
    result = refused(host, "match", SOVEREIGN_DATA_DIR=str(tmp_path / "other"))
    assert result.returncode == 2
    assert result.stderr.startswith("sovereign up: SOVEREIGN_NATS__PORT: cannot listen on")
    assert result.stderr.count("\n") == 1


def test_ctrl_c_drains_and_leaves_no_process(fresh):
    fresh.start("match", "sessions")
    fresh.banner()
    everyone = fresh.processes()
    assert len(everyone) == 4
    assert fresh.stop() == 0
    assert gone(everyone, 0.5)
    assert fresh.processes() == []


def test_a_killed_supervisor_leaves_nothing_behind(fresh):
    fresh.start("match")
    fresh.banner()
    everyone = fresh.processes()
    fresh.process.kill()
    assert gone(everyone)


def test_a_second_ctrl_c_kills_at_once(fresh):
    fresh.start("match")
    fresh.banner()
    everyone = fresh.processes()
    stuck = next(p for p in everyone if "sample_service.py" in " ".join(p.cmdline()))
    stuck.suspend()
    fresh.process.send_signal(signal.SIGINT)
    while "draining" not in fresh.stderr:
        pass
    fresh.process.send_signal(signal.SIGINT)
    assert fresh.process.wait(5) == 130
    assert gone(everyone, 5.0)


async def _all(bus, kind: str) -> list[bytes]:
    from shared.reading import read_subject

    return [stored.data for stored in await read_subject(bus, "OPS", f"ops.event.{kind}")]


async def _pid(bus, service: str) -> int:
    """Return the pid in the next ready beat of a service."""
    from shared.events import Beat

    beats = await bus.nc.subscribe(f"health.beat.{service}.*")
    while True:
        beat = Beat.model_validate_json((await beats.next_msg(10)).data)
        if beat.state == "ready":
            await beats.unsubscribe()
            return beat.pid
