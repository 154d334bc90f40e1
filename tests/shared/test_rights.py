import asyncio

import nats
import pytest
from nats.aio.client import Client
from nats.errors import Error

from shared import bootstrap
from shared.bus import open_bus
from shared.events import TaskRequest
from shared.rights import USERS, authorization
from shared.settings import NatsSettings, Settings
from shared.signing import public_key
from tests.conftest import NatsServer


@pytest.fixture
async def guarded(tmp_path, monkeypatch):
    """A server that knows one user for each service; returns settings for a user's name."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "nats"
    folder.mkdir()
    keys = {name: tmp_path / f"{name}.nk" for name in (*USERS, "guest", "stranger")}
    server = NatsServer(folder)
    known = {name: public_key(path) for name, path in keys.items()}
    known.pop("stranger")
    server.start(authorization(known))

    def settings(name: str | None) -> Settings:
        key = keys[name] if name else None
        return Settings(host="here", nats=NatsSettings(url=server.url, nkey_file=key))

    async with open_bus(settings("supervisor"), "supervisor") as bus:
        await bootstrap.ensure(bus)
    yield settings
    server.kill()


async def refused(settings, user: str | None, subject: str, *, subscribe: bool = False) -> bool:
    """Tell whether the server refuses that user that subject."""
    said: list[str] = []

    async def listen(error: Exception) -> None:
        said.append(str(error))

    key = settings(user).nats.nkey_file
    options = {"nkeys_seed": str(key)} if key else {}
    client = await nats.connect(settings(user).nats_url, error_cb=listen, **options)
    if subscribe:
        await client.subscribe(subject)
    else:
        await client.publish(subject, b"{}")
    await client.flush()
    await asyncio.sleep(0.05)  # the client tells errors in a task of its own, after the flush
    await client.close()
    return any("permissions violation" in line for line in said)


@pytest.mark.parametrize(
    ("user", "subject"),
    [
        ("router", "cost.event"),
        ("router", "_INBOX.agents.x"),
        ("router", "$KV.budgets.all.x.2026-11.r"),
        ("agents", "task.journal.t1"),
        ("agents", "$KV.tasks.t1"),
        ("agents", "$JS.API.CONSUMER.MSG.NEXT.STEPS.builder-high"),
        ("sessions", "session.event.s1"),
        ("sessions", "$JS.API.STREAM.MSG.DELETE.SESSIONS"),
        ("sessions", "$KV.session_leases.s1"),
        ("match", "ledger.entry.a"),
        ("ops", "ops.command.here"),
        ("ops", "$JS.API.STREAM.MSG.DELETE.SCHEDULES"),
        ("ops", "$JS.API.STREAM.MSG.GET.RESULTS"),
        ("dashboard", "task.request.high"),
        ("dashboard", "agent.replay"),
        (None, "task.request.high"),
    ],
)
async def test_a_user_may_do_its_work(guarded, user, subject):
    assert not await refused(guarded, user, subject)


@pytest.mark.parametrize(
    ("user", "subject"),
    [
        ("router", "ops.command.here"),
        ("router", "task.journal.t1"),
        ("agents", "$KV.budgets.all.x.2026-11.r"),
        ("agents", "ops.command.here"),
        ("agents", "ledger.entry.a"),
        ("agents", "$JS.API.STREAM.DELETE.JOURNAL"),
        ("sessions", "task.step.builder.high"),
        ("sessions", "$JS.API.STREAM.MSG.DELETE.LEDGER"),
        ("match", "session.event.s1"),
        ("ops", "$JS.API.STREAM.MSG.DELETE.RESULTS"),
        ("ops", "$JS.API.STREAM.PURGE.TASKS"),
        ("ops", "$JS.API.CONSUMER.MSG.NEXT.STEPS.builder-high"),
        ("dashboard", "ops.command.here"),
        ("dashboard", "task.journal.t1"),
        ("dashboard", "$KV.tasks.t1"),
        ("router", "health.beat.ops.x"),
        (None, "task.step.builder.high"),
        (None, "ops.command.here"),
        (None, "match.deal"),
        (None, "$JS.API.STREAM.PURGE.TASKS"),
        (None, "$JS.API.CONSUMER.DELETE.RESULTS.manager"),
        (None, "$JS.API.CONSUMER.MSG.NEXT.RESULTS.manager"),
        (None, "health.beat.ops.ops-1"),
        (None, "_INBOX.agents.x"),
        (None, "$JS.ACK.STEPS.builder-high.1.1.1.1.0"),
        ("dashboard", "$JS.API.CONSUMER.DELETE.RESULTS.manager"),
        ("dashboard", "$JS.ACK.RESULTS.manager.1.1.1.1.0"),
    ],
)
async def test_a_user_may_not_do_its_neighbours_work(guarded, user, subject):
    assert await refused(guarded, user, subject)


async def test_a_guest_may_not_listen_to_model_requests(guarded):
    assert await refused(guarded, None, "model.chat", subscribe=True)


async def test_a_guest_cannot_answer_for_the_server(guarded):
    said: list[str] = []

    async def listen(error: Exception) -> None:
        said.append(str(error))

    guest = await nats.connect(guarded(None).nats_url, error_cb=listen)
    copies = await guest.subscribe("task.journal.*")
    await guest.flush()
    async with open_bus(guarded("supervisor"), "supervisor") as bus:
        ack = await bus.publish("task.journal.t1", TaskRequest(title="x"), "1")
        await guest.publish((await copies.next_msg(5)).reply, b'{"stream":"JOURNAL","seq":9}')
        await guest.flush()
        await asyncio.sleep(0.05)
    assert (ack.seq, "permissions violation" in "".join(said)) == (1, True)
    await guest.close()


async def test_a_guest_does_not_overhear_a_services_replies(guarded):
    guest = await nats.connect(guarded(None).nats_url)
    overheard = await guest.subscribe("_INBOX.>")
    await guest.flush()
    async with open_bus(guarded("supervisor"), "router") as bus:
        await bus.nc.publish("_INBOX.router.secret", b"private")
        await bus.nc.publish("_INBOX.own.reply", b"mine")
        await bus.nc.flush()
    assert (await overheard.next_msg(5)).data == b"mine"
    await guest.close()


async def test_an_unknown_key_is_not_let_in(guarded):
    client = Client()
    with pytest.raises(Error):
        await client.connect(
            guarded(None).nats_url, allow_reconnect=False, connect_timeout=2,
            nkeys_seed=str(guarded("stranger").nats.nkey_file),
        )  # fmt: skip
    client._transport.close()  # nats-py leaves the socket of a refused login open
    await asyncio.sleep(0)
