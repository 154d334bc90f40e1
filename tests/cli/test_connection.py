import json

import pytest

from shared import bootstrap
from shared.bus import open_bus
from shared.rights import USERS, authorization
from shared.settings import NatsSettings, Settings
from shared.signing import public_key
from tests.conftest import NatsServer


@pytest.fixture
async def guarded(tmp_path, monkeypatch):
    """An embedded server's twin: users with keys, the owner's in `data/keys`; gives its folder."""
    folder, keys = tmp_path / "nats", tmp_path / "data" / "keys"
    folder.mkdir()
    server = NatsServer(folder)
    server.start(
        authorization({name: public_key(keys / f"{name}.nk") for name in (*USERS, "guest")})
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOVEREIGN_NATS__PORT", str(server.port))
    settings = Settings(nats=NatsSettings(port=server.port))
    async with open_bus(settings, "supervisor") as bus:
        await bootstrap.ensure(bus)
    yield tmp_path
    server.kill()


async def test_the_owner_in_the_folder_of_up_may_do_everything(guarded, threaded):
    assert (await threaded("task", "list")).exit_code == 0


@pytest.mark.parametrize(
    "arguments", [("session", "list"), ("ops", "history"), ("match", "revenue")]
)
async def test_a_guest_is_told_at_once_how_to_become_the_owner(
    guarded, threaded, monkeypatch, tmp_path_factory, arguments
):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    done = await threaded(*arguments)
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "SOVEREIGN_DATA_DIR" in done.stderr


async def test_the_doctor_tells_a_guest_the_way_in(
    guarded, threaded, monkeypatch, tmp_path_factory
):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    done = await threaded("doctor", "--json")
    found = {one["name"]: one for one in json.loads(done.stdout)["checks"]}
    assert (found["rights"]["status"], "SOVEREIGN_DATA_DIR" in found["rights"]["fix"]) == (
        "fail", True,
    )  # fmt: skip


async def test_a_guest_may_hand_in_a_task(guarded, threaded, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    done = await threaded("task", "submit", "Read it", "--json")
    assert json.loads(done.stdout)["stream"] == "TASKS"
