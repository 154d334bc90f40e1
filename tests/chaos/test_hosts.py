"""Several supervisors on one bus: what a lost host ran goes on elsewhere, and back again."""

import pytest

from shared.events import OpsStatus
from shared.events.reports import Empty
from tests.ops.conftest import Running, until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]

QUICK = {"SOVEREIGN_OPS__BEAT_S": "0.2", "SOVEREIGN_OPS__PAUSE_S": "0.6"}


@pytest.fixture
def home(tmp_path):
    """The host with the bus and ops, which offers room for sessions."""
    (tmp_path / "home").mkdir()
    running = Running(tmp_path / "home", SOVEREIGN_OPS__OFFERS='["sessions"]', **QUICK)
    running.start("ops")
    running.banner()
    yield running
    running.destroy()


@pytest.fixture
def away(home, tmp_path):
    """Another host on the same bus, which runs sessions and trusts the ops of the first."""
    folder = tmp_path / "away"
    trusted = folder / "data" / "keys" / "trusted"
    trusted.mkdir(parents=True)
    (trusted / "home.pub").write_text(_public(home) + "\n")
    running = Running(
        folder, SOVEREIGN_NATS__URL=f"nats://127.0.0.1:{home.settings.nats.port}",
        SOVEREIGN_NATS__NKEY_FILE=str(home.settings.data_dir / "keys" / "owner.nk"), **QUICK,
    )  # fmt: skip
    running.start("sessions", "--host", "away")
    running.banner()
    yield running
    running.destroy()


def _public(home) -> str:
    from shared.signing import public_key

    return public_key(home.settings.data_dir / "keys" / "ops.nk")


async def where(bus) -> dict[str, str]:
    """Return host to state of every sessions service that ops knows."""
    status = await bus.request("ops.status", Empty(), OpsStatus)
    return {one.host: one.state for one in status.instances if one.service == "sessions"}


async def test_services_of_a_lost_host_go_on_elsewhere_and_are_given_back(home, away):
    async with home.bus() as bus:
        while await where(bus) != {"away": "ready"}:
            pass
        for process in away.processes():
            process.kill()
        lost = await until(bus, "symptom", "supervisor", symptom="host_lost")
        moved = await until(bus, "moved", "sessions", outcome="placed")
        assert (moved.host, moved.episode) == ("here", lost.episode)
        assert (await where(bus))["here"] == "ready"
        await until(bus, "recovered", "supervisor", symptom="host_lost", remedy="move")
        away.process.wait(10)
        away.process.stdout.close()
        away.start("sessions", "--host", "away")
        await until(bus, "moved", "sessions", outcome="given back")
        while await where(bus) != {"away": "ready"}:
            pass


async def test_a_bad_settings_file_is_rolled_back(tmp_path):
    running = Running(tmp_path, SOVEREIGN_OPS__WINDOW_S="0.3")
    file = tmp_path / "sovereign.toml"
    file.write_text('log_level = "info"\n')
    running.start("match")
    running.banner()
    try:
        async with running.bus() as bus:
            kept = running.settings.data_dir / "settings" / "last-good.toml"
            while not kept.exists():
                await bus.nc.flush()
            file.write_text('log_level = "loud"\n')
            subject, signed = running.command("restart", "match")
            await bus.nc.request(subject, signed.model_dump_json().encode())
            fallen = await until(bus, "quarantined", "match")
            assert "SOVEREIGN_LOG_LEVEL" in fallen.cause
            told = await until(bus, "rolled_back", "supervisor")
            assert "SOVEREIGN_LOG_LEVEL" in told.cause
            await until(bus, "released", "match")
        assert file.read_text() == 'log_level = "info"\n'
        kept_beside = [path.read_text() for path in tmp_path.glob("sovereign.toml.bad-*")]
        assert kept_beside == ['log_level = "loud"\n']
    finally:
        running.destroy()
