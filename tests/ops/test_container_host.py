"""The driver for containers against an engine's HTTP answers over a real unix socket."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest

from services.ops.container_host import ContainerHost
from services.ops.engine_socket import API, Engine
from services.ops.record import Record
from shared.bus import decode
from shared.clock import now
from shared.errors import NotFound, Refused, Unavailable
from shared.events import Beat, CommandReply, OpsCommand
from shared.ids import ulid
from shared.signing import Signer, seed
from tests.ops.beating import beat

ID = "c0ffee" * 10


class Docker:
    """Answers as the Engine API documents it, for one container."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.state = {"Running": True, "ExitCode": 0, "StartedAt": "t0"}
        self.there = True

    async def serve(self, reader, writer) -> None:
        method, target, _ = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ", 2)
        url = urlsplit(target.removeprefix(API))
        status, body = self._answer(method, url.path, parse_qs(url.query))
        data = json.dumps(body).encode() if body is not None else b""
        head = f"HTTP/1.1 {status} x\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + data)
        await writer.drain()
        writer.close()

    def _answer(self, method, path, query):
        if path == "/containers/json":
            assert json.loads(query["filters"][0]) == {"label": ["sovereign.service"]}
            return 200, [{"Id": ID}] if self.there else []
        if method == "GET" and path == f"/containers/{ID}/json":
            config = {"Labels": {"sovereign.service": "match"}, "Hostname": "c0ffee.lan"}
            return 200, {"Id": ID, "State": self.state, "Config": config, "RestartCount": 3}
        if method == "POST" and path.startswith(f"/containers/{ID}/"):
            self.calls.append(path.rpartition("/")[2] + str({k: v[0] for k, v in query.items()}))
            self.state = self.state | {"StartedAt": f"t{len(self.calls)}"}
            return 204, None
        return 404, {"message": f"No such container: {path}"}


@asynccontextmanager
async def engine(folder):
    docker = Docker()
    server = await asyncio.start_unix_server(docker.serve, folder / "d")
    async with server:
        yield docker, Engine(folder / "d")


@asynccontextmanager
async def watching(bus, settings, folder):
    """A supervisor of containers that has seen its one container, and what it records."""
    limits = settings.ops.model_copy(update={"beat_s": 0.1})
    quick = settings.model_copy(update={"ops": limits})
    async with engine(folder) as (docker, client), anyio.create_task_group() as tasks:
        record = Record("engine", "supervisor")
        heard = await bus.nc.subscribe("health.beat.supervisor.*")
        await bus.nc.flush()
        tasks.start_soon(ContainerHost(quick, client, record).run, tasks)
        yield docker, heard
        tasks.cancel_scope.cancel()
        await heard.unsubscribe()


def command(settings, verb: str, **changes):
    present = now()
    given = {
        "command_id": ulid(), "verb": verb, "host": "c0ffee", "service": "match", "nonce": ulid(),
        "reason": "a test", "issued_by": "ops", "issued_at": present, "revision": 1,
        "expires_at": present + timedelta(seconds=10),
    }  # fmt: skip
    signer = Signer(seed(settings.data_dir / "keys" / "ops.nk"))
    return signer.sign("ops.command.c0ffee", OpsCommand.model_validate(given | changes))


async def children(heard, wanted) -> Beat:
    """Return the first beat whose one child has the wanted values."""
    while True:
        told = decode((await heard.next_msg(20)).data, Beat)
        if wanted.items() <= told.info["children"].get("match", {}).items():
            return told


async def test_it_speaks_for_a_container_and_tells_how_it_is(bus, settings, tmp_path):
    async with watching(bus, settings, tmp_path) as (docker, heard):
        first = await children(heard, {"state": "starting", "restarts": 3})
        assert (first.host, first.instance) == ("c0ffee", "docker-c0ffee")
        await bus.emit("health.beat.match.m", beat(host="c0ffee", instance="m", pid=1))
        await children(heard, {"state": "ready", "pid": 1})
        docker.state = {"Running": False, "ExitCode": 137, "StartedAt": "t0"}
        await children(heard, {"state": "backoff", "pid": None})


async def test_a_signed_command_is_done_by_the_engine(bus, settings, tmp_path):
    async with watching(bus, settings, tmp_path) as (docker, heard):
        await children(heard, {"state": "starting"})
        for number, verb in enumerate(("restart", "drain", "kill", "circuit")):
            signed = command(settings, verb)
            assert (await bus.request("ops.command.c0ffee", signed, CommandReply)).accepted
            while len(docker.calls) == number:  # noqa: ASYNC110 - nothing tells of it
                await anyio.sleep(0.01)
    wanted = ["restart{'t': '1'}", "restart{'t': '10'}", "restart{'t': '0'}",
              "kill{'signal': 'SIGUSR1'}"]  # fmt: skip
    assert docker.calls == wanted


async def test_other_commands_are_refused(bus, settings, tmp_path):
    async with watching(bus, settings, tmp_path) as (docker, heard):
        await children(heard, {"state": "starting"})
        for signed, reason in (
            (command(settings, "restart", service="router"), "no service router"),
            (command(settings, "place"), "cannot be done with a container"),
            (command(settings, "restart").model_copy(update={"payload": "{}"}), "signature"),
        ):
            with pytest.raises(Refused, match=reason):
                await bus.request("ops.command.c0ffee", signed, CommandReply)
    assert docker.calls == []


async def test_a_container_that_is_removed_is_let_go(bus, settings, tmp_path):
    async with watching(bus, settings, tmp_path) as (docker, heard):
        await children(heard, {"state": "starting"})
        docker.there = False
        while decode((await heard.next_msg(20)).data, Beat).state != "goodbye":
            pass


async def test_an_engine_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Unavailable, match="no Docker engine at"):
        await asyncio.to_thread(Engine(tmp_path / "none").containers)


async def test_the_engines_own_words_are_told(tmp_path):
    async with engine(tmp_path) as (_, client):
        with pytest.raises(NotFound, match="No such container"):
            await asyncio.to_thread(client.stop, "gone", 1.0)
