"""Episodes against a real bus on which supervisors behave as they please."""

import time
from contextlib import asynccontextmanager

import anyio
import pytest

from services.ops import healing, moving, remedies
from services.ops.healing import Healer
from services.ops.instances import Instances
from services.ops.leader import Lease
from services.ops.moving import Mover
from services.ops.record import Record
from services.ops.remedies import Commander
from services.ops.symptoms import Finding
from shared.bus import decode, encode
from shared.events import CommandReply, OpsCommand, SignedCommand
from shared.signing import Signer, seed
from tests.ops.beating import beat, supervisor

HANG = Finding("hang", "no beat for 5 s", {"phi": 9.0})


class Ward:
    """A healer over one ill service and a supervisor, with what it recorded."""

    def __init__(self, bus, lease, folder) -> None:
        self.instances = Instances(3.0)
        self.record = Record("here", "ops")
        commander = Commander(bus, Signer(seed(folder / "ops.nk")), lease, "ops-1")
        mover = Mover(self.instances, commander, self.record)
        self.healer = Healer(bus, self.instances, self.record, commander, mover)
        self.hear(supervisor(match={"state": "ready", "pid": 7}))
        self.ill = self.hear(beat())

    def hear(self, one):
        return self.instances.hear(one, time.monotonic())

    def kinds(self) -> list[tuple[str, str | None, str | None]]:
        return [(event.kind, event.remedy, event.outcome) for event in self.record.waiting]


@asynccontextmanager
async def ward(bus, folder):
    async with anyio.create_task_group() as tasks:
        lease = Lease(bus, "here/ops-1/boot", lambda leads: None)
        tasks.start_soon(lease.run)
        while not lease.held:  # noqa: ASYNC110 - nothing tells of it
            await anyio.sleep(0.01)
        yield Ward(bus, lease, folder)
        tasks.cancel_scope.cancel()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(remedies, "ANSWER_S", 0.1)
    monkeypatch.setattr(healing, "VERIFY_S", 0.1)
    monkeypatch.setattr(healing, "LOOK_AGAIN_S", 0.1)
    monkeypatch.setattr(healing, "REST_S", 0.0)
    monkeypatch.setattr(moving, "BACK_S", 0.1)


async def until(condition) -> None:
    with anyio.fail_after(30):
        while not condition():  # noqa: ASYNC110 - nothing tells of it
            await anyio.sleep(0.05)


async def obedient(bus, host: str, done: list[str], then=None) -> None:
    """A supervisor that accepts every command."""

    async def take(message) -> None:
        signed = decode(message.data, SignedCommand)
        command = OpsCommand.model_validate_json(signed.payload)
        done.append(f"{command.verb} {command.service}")
        await message.respond(encode(CommandReply(command_id="c", accepted=True)))
        if then is not None:
            then()

    await bus.nc.subscribe(f"ops.command.{host}", cb=take)
    await bus.nc.flush()


async def test_a_supervisor_that_never_answers_ends_with_a_person(bus, tmp_path):
    async def ignore(message) -> None:
        return

    await bus.nc.subscribe("ops.command.here", cb=ignore)
    async with ward(bus, tmp_path) as found:
        with anyio.fail_after(30):
            await found.healer.heal(found.ill, HANG)
    outcomes = [event.outcome for event in found.record.waiting if event.kind == "outcome"]
    assert len(outcomes) == 3
    assert all(outcome.startswith("not done: ops.command.here: no answer") for outcome in outcomes)
    escalated = next(event for event in found.record.waiting if event.kind == "escalated")
    assert (escalated.service, escalated.evidence["level"]) == ("match", "person")
    assert found.healer.lessons.told([("hang", ("restart",))])[0].failed == 0


async def test_a_remedy_that_worked_is_proven_by_another_boot(bus, tmp_path):
    done: list[str] = []
    async with ward(bus, tmp_path) as found:
        await obedient(bus, "here", done, lambda: found.hear(beat(boot="b2", pid=8)))
        await found.healer.heal(found.ill, HANG)
    assert done == ["restart match"]
    wanted = [("symptom", None, None), ("decision", "restart", None),
              ("outcome", "restart", "recovered"), ("recovered", "restart", None)]  # fmt: skip
    assert found.kinds() == wanted
    assert len({event.episode for event in found.record.waiting}) == 1


async def test_what_was_all_in_vain_is_not_tried_again_at_once(bus, tmp_path, monkeypatch):
    monkeypatch.setattr(healing, "REST_S", 3600.0)
    async with ward(bus, tmp_path) as found, anyio.create_task_group() as tasks:
        tasks.start_soon(found.healer.heal, found.ill, HANG)
        await until(lambda: any(k[:2] == ("outcome", "quarantine") for k in found.kinds()))
        entries = len(found.kinds())
        await anyio.sleep(1.0)
        assert len(found.kinds()) == entries
        found.hear(beat(boot="b2", pid=8))
        await until(lambda: found.kinds()[-1] == ("outcome", "none", "gone"))


async def test_an_illness_that_is_left_alone_does_not_hide_a_silence(bus, tmp_path, monkeypatch):
    monkeypatch.setattr(healing, "LOOK_AGAIN_S", 0.1)
    async with ward(bus, tmp_path) as found:
        found.ill = found.hear(beat(boot="b2", rss_bytes=99, rss_cap_bytes=100))
        with anyio.fail_after(30):
            await found.healer.heal(found.ill, Finding("memory", "99 of 100 MB", {}))
    assert found.kinds()[-1] == ("outcome", "none", "it fell silent")
    assert ("escalated", None, None) in found.kinds()
    assert found.healer.actions == 0


async def test_what_no_remedy_heals_is_moved_to_a_host_that_offers_room(bus, tmp_path):
    here: list[str] = []
    there: list[str] = []
    async with ward(bus, tmp_path) as found:
        offer = supervisor().model_copy(
            update={"host": "there", "info": {"children": {}, "offers": ["match"]}}
        )
        found.hear(offer)
        await obedient(bus, "here", here)
        moved = beat(host="there", boot="b9")
        await obedient(bus, "there", there, lambda: found.hear(moved))
        await found.healer.heal(found.ill, HANG)
    assert here == ["restart match", "kill match", "quarantine match"]
    assert there == ["place match"]
    assert found.kinds()[-1] == ("recovered", "move", None)
    level = [e.evidence["level"] for e in found.record.waiting if e.kind == "escalated"]
    assert level == ["host"]


async def test_a_healer_forgets_the_oldest_of_many(bus, tmp_path, monkeypatch):
    monkeypatch.setattr(healing, "KNOWN", 10)
    async with ward(bus, tmp_path) as found:
        for number in range(50):
            found.healer._intensity(("here", "match", f"match-{number}"))
        assert len(found.healer._recent) == 10
