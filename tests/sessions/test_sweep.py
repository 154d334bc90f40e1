from datetime import timedelta

from services.sessions.sweep import Sweep
from shared.clock import now
from shared.events import LeaseAsk, SessionAsk
from shared.settings import SessionsSettings


async def kinds(one, session_id="s") -> list[str]:
    ask = SessionAsk(namespace="main", session_id=session_id)
    return [event.kind for event in (await one.handlers.load(ask)).events]


async def age(one, seconds: float) -> None:
    """Let all sessions have been silent for so long."""
    at = (now() - timedelta(seconds=seconds)).isoformat(timespec="microseconds")
    await one.index.writer.execute("UPDATE session SET last_at = ?", (at,))
    await one.index.writer.commit()


async def test_a_silent_session_is_handed_over_once(room):
    async with room() as one:
        await one.add()
        await one.sweep.once()
        assert await kinds(one) == ["note"]
        await age(one, 4000)
        await one.sweep.once()
        await age(one, 8000)
        await one.sweep.once()
        assert await kinds(one) == ["note", "handoff.made"]


async def test_a_lease_that_runs_out_brings_a_handoff(room):
    async with room() as one:
        await one.add("s", "pending.add", "half done")
        ask = LeaseAsk(namespace="main", session_id="s", holder="ann", seconds=60)
        held = await one.life.lease(ask)
        past = held.model_copy(update={"until": now() - timedelta(seconds=1)})
        await one.leases._put(past, (await one.leases._stored("s"))[0])
        await one.sweep.once()
        await one.sweep.once()
        assert await kinds(one) == ["pending.add", "handoff.made"]
        assert (await one.handlers.heads.of("main", "s")).last.data["why"] == (
            "the lease of ann ran out"
        )


async def test_two_sweeps_make_one_handoff(room):
    async with room("a") as one, room("b") as other:
        last = await one.add()
        await other.follower.wait_for(last.seq)
        for each in (one, other):
            await age(each, 4000)
        await one.sweep.once()
        await other.sweep.once()
        await one.follower.wait_for(other.index.last_seq)
        assert await kinds(one) == ["note", "handoff.made"]


async def test_a_closed_session_is_left_alone(room):
    async with room() as one:
        await one.add("s", "session.closed")
        assert await kinds(one) == ["session.closed", "handoff.made"]
        settings = SessionsSettings(idle_s=1)
        await age(one, 4000)
        await Sweep(one.index, one.leases, one.handlers.handing, settings).once()
        assert await kinds(one) == ["session.closed", "handoff.made"]


async def test_a_lease_of_another_namespace_keeps_no_sweep_from_its_work(room):
    async with room() as one:
        ask = LeaseAsk(namespace="theirs", session_id="s", holder="eve", seconds=60)
        held = await one.life.lease(ask)
        past = held.model_copy(update={"until": now() - timedelta(seconds=1)})
        await one.leases._put(past, (await one.leases._stored("s"))[0])
        await one.add("s", title="opened by a task of this namespace")
        await age(one, 4000)
        await one.sweep.once()
        assert await kinds(one) == ["note", "handoff.made"]
