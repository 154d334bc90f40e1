import asyncio
import json

import pytest

from cli.examination import bus as bus_checks
from cli.examination import engine, entrance, host
from shared import access
from shared.settings import DashboardSettings, NatsSettings, RouterSettings, Settings
from tests.conftest import free_port
from tests.fakes.ollama import FakeOllama


def by_name(done):
    return {one["name"]: one for one in json.loads(done.stdout)["checks"]}


async def test_a_fresh_server_is_found_and_its_gaps_are_named(cli, monkeypatch):
    monkeypatch.setenv("SOVEREIGN_DASHBOARD__PORT", str(free_port()))
    monkeypatch.setenv("SOVEREIGN_ROUTER__DOOR_PORT", "0")
    monkeypatch.setenv("SOVEREIGN_ENGINE", "offline")
    done = await cli("doctor", "--json")
    found = by_name(done)
    assert done.exit_code == 0
    assert found["door port"]["detail"].startswith("shut")
    assert (found["bus"]["status"], found["streams"]["status"]) == ("ok", "warn")
    assert "sovereign up" in found["streams"]["fix"]


async def test_streams_and_clock_are_compared_with_the_server(bus, settings):
    found = {one.name: one for one in await bus_checks.examine(settings)}
    assert (found["streams"].status, found["clock"].status) == ("ok", "ok")


def test_a_wrong_setting_ends_the_list_with_its_fix(run, monkeypatch):
    monkeypatch.setenv("SOVEREIGN_NATS__PORT", "seventy")
    done = run("doctor")
    assert done.exit_code == 1
    assert "SOVEREIGN_NATS__PORT" in done.stdout
    assert "->" in done.stdout


@pytest.mark.parametrize(("skew", "status"), [(0, "ok"), (10, "warn"), (40, "fail")])
def test_a_clock_that_is_off_is_found(skew, status):
    assert bus_checks.clock(skew).status == status


async def test_a_port_that_another_program_holds_is_named(tmp_path):
    server = await asyncio.start_server(_rude, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = Settings(data_dir=tmp_path, dashboard=DashboardSettings(port=port))
    [finding] = [one for one in await host.ports(settings) if one.name == "dashboard port"]
    server.close()
    assert finding.status == "fail"
    assert "SOVEREIGN_DASHBOARD__PORT" in finding.fix


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b'HTTP/1.1 404 x\r\nx-request-id: 1\r\n\r\n{"error":{"code":"unknown_url"}}', "ok"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "fail"),
    ],
)
async def test_the_routers_door_is_told_from_other_programs(tmp_path, answer, status):
    async def listen(reader, writer):
        await reader.readline()
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        router = RouterSettings(door_port=server.sockets[0].getsockname()[1])
        found = await host.ports(Settings(data_dir=tmp_path, router=router))
    assert [one.status for one in found if one.name == "door port"] == [status]


async def _rude(reader, writer):
    writer.write(b"SSH-2.0-OpenSSH\r\n")
    writer.close()


async def test_a_bus_port_that_another_program_holds_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("shared.bus.SOON_S", 0.5)
    server = await asyncio.start_server(_rude, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    [finding] = await bus_checks.examine(Settings(data_dir=tmp_path, nats=NatsSettings(port=port)))
    server.close()
    assert (finding.status, "SOVEREIGN_NATS__PORT" in finding.fix) == ("fail", True)


async def test_a_named_server_that_does_not_answer_fails(tmp_path):
    settings = Settings(data_dir=tmp_path, nats=NatsSettings(url="nats://127.0.0.1:1"))
    [finding] = await bus_checks.examine(settings)
    assert (finding.status, "SOVEREIGN_NATS__URL" in finding.fix) == ("fail", True)


def test_a_folder_that_is_a_file_fails(tmp_path):
    (tmp_path / "data").write_text("")
    found = host.local(Settings(data_dir=tmp_path / "data" / "here"))
    assert found[0].status == "fail"


@pytest.mark.parametrize(("setting", "status"), [("auto", "warn"), ("ollama", "fail")])
async def test_without_ollama_the_setting_decides(setting, status):
    router = RouterSettings(ollama_url="http://127.0.0.1:1")
    [finding] = await engine.examine(Settings(engine=setting, router=router))
    assert (finding.status, "ollama pull" in finding.fix) == (status, True)


async def test_an_ollama_with_or_without_the_model():
    async with FakeOllama(("llama3.1:8b",)) as fake:
        held = await engine.examine(Settings(router=RouterSettings(ollama_url=fake.url)))
        router = RouterSettings(ollama_url=fake.url, model="qwen3:4b")
        missing = await engine.examine(Settings(router=router))
    assert (held[0].status, missing[0].status) == ("ok", "warn")
    assert "ollama pull qwen3:4b" in missing[0].fix


def test_who_may_enter_is_checked_with_the_fix(tmp_path):
    settings = Settings(data_dir=tmp_path)
    path = access.file_of(settings)
    assert entrance.entrance(settings).status == "ok"
    settings.dashboard.hosts = ("house.example",)
    assert "sovereign access add" in entrance.entrance(settings).fix
    access.add_key(path, "ci", "view", None)
    path.chmod(0o644)
    assert entrance.entrance(settings).fix == f"chmod 600 {path}"
    path.write_text("{broken")
    assert entrance.entrance(settings).status == "fail"
