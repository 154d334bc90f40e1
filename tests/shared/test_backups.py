import tarfile

import pytest

from shared import backups, bootstrap, snapshots
from shared.bus import open_bus
from shared.errors import Conflict, InvalidInput, NotFound
from shared.events import OpsEvent
from shared.reading import read_subject
from shared.settings import NatsSettings, Settings
from tests.conftest import NatsServer


@pytest.fixture
def empty_server(tmp_path):
    folder = tmp_path / "fresh"
    folder.mkdir()
    server = NatsServer(folder)
    server.start()
    yield server
    server.kill()


async def told(bus, number: int) -> None:
    event = OpsEvent(event_id=f"e{number}", kind="started", service="match")
    await bus.publish("ops.event.started", event, event.event_id)


async def standing(bus) -> dict[str, tuple[int, int, int]]:
    """Where each consumer of TASKS stands: delivered, acknowledged, and in between."""
    found = await bus.js.consumers_info("TASKS")
    return {
        c.name: (c.delivered.stream_seq, c.ack_floor.stream_seq, c.num_ack_pending) for c in found
    }


async def restored(bus, path, replace: bool = False) -> list[str]:
    async with backups.opened(path) as (found, folder):
        return [one.stream async for one in backups.restore(bus, found, folder, replace)]


async def test_a_backup_restored_into_a_fresh_server_is_the_same(bus, tmp_path, empty_server):
    for number in range(300):
        await told(bus, number)
    await bus.js.delete_msg("OPS", 7)
    steps = await bus.js.pull_subscribe_bind("manager-low", "TASKS")
    await bus.nc.publish("task.request.low", b'{"title": "x"}')
    await bus.nc.flush()
    await steps.fetch(1, timeout=5)  # delivered, and not acknowledged
    before = await read_subject(bus, "OPS", "ops.event.*")
    consumers = await standing(bus)
    made = await backups.make(bus, tmp_path / "backups", "here")
    other = Settings(data_dir=tmp_path / "o", nats=NatsSettings(url=empty_server.url))
    async with open_bus(other, "test") as fresh:
        names = await restored(fresh, tmp_path / "backups" / made.file)
        assert set(names) == {one.stream for one in made.streams} == set(backups.CONTENT)
        assert await read_subject(fresh, "OPS", "ops.event.*") == before
        after = await fresh.js.stream_info("OPS")
        assert (after.state.last_seq, after.state.messages) == (300, 299)
        assert await standing(fresh) == consumers
        assert consumers["manager-low"] == (1, 0, 1)
        await bootstrap.ensure(fresh)
        await told(fresh, 1000)
        assert (await fresh.js.stream_info("OPS")).state.last_seq == 301


async def test_what_exists_is_left_alone_unless_told_to_replace_it(bus, tmp_path):
    await told(bus, 1)
    made = await backups.make(bus, tmp_path, "here")
    await told(bus, 2)
    with pytest.raises(Conflict, match="TASKS"):
        await restored(bus, tmp_path / made.file)
    assert (await bus.js.stream_info("OPS")).state.messages == 2
    await restored(bus, tmp_path / made.file, replace=True)
    assert (await bus.js.stream_info("OPS")).state.messages == 1


async def test_a_changed_backup_is_refused_and_what_stood_there_stays(bus, tmp_path):
    await told(bus, 1)
    path = tmp_path / "ops.snapshot"
    saved = await snapshots.save(bus, "OPS", path)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(Conflict, match="not those that were backed up"):
        async for _ in backups.restore(bus, [saved], _renamed(tmp_path), replace=True):
            pass
    assert (await bus.js.stream_info("OPS")).state.messages == 1


def _renamed(folder):
    (folder / "ops.snapshot").rename(folder / "OPS.snapshot")
    return folder


async def test_a_stream_that_does_not_exist_cannot_be_saved(bus, tmp_path):
    with pytest.raises(NotFound, match="NOWHERE"):
        await snapshots.save(bus, "NOWHERE", tmp_path / "x")


@pytest.mark.parametrize("content", [b"", b"no tar at all", b"\0" * 2048])
async def test_a_file_that_is_no_backup_is_named(tmp_path, content):
    path = tmp_path / "x.tar"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"x\.tar is no backup"):
        async with backups.opened(path):
            pass


async def test_a_backup_without_a_stream_of_its_manifest_is_refused(bus, tmp_path):
    made = await backups.make(bus, tmp_path, "here")
    broken = tmp_path / "broken.tar"
    with tarfile.open(made.file) as whole, tarfile.open(broken, "w") as archive:
        for one in whole.getmembers():
            if one.name != "OPS.snapshot":
                archive.addfile(one, whole.extractfile(one))
    with pytest.raises(InvalidInput, match="lacks OPS"):
        async with backups.opened(broken):
            pass


def test_only_the_newest_are_kept(tmp_path):
    names = [f"sovereign-2026010{day}T000000Z.tar" for day in range(1, 6)]
    for name in [*names, "mine.tar", ".sovereign-20260109T000000Z.new"]:
        (tmp_path / name).touch()
    removed = backups.prune(tmp_path, 2)
    assert [path.name for path in removed] == names[:3]
    assert [path.name for path in backups.listed(tmp_path)] == names[3:]
    assert (tmp_path / "mine.tar").exists()
