import asyncio

import pytest

from services.sessions.app import RESULTS
from services.sessions.handlers import PAGE_BYTES
from shared.clock import now
from shared.errors import NotFound
from shared.events import SessionAsk, SessionListAsk, TaskResult
from shared.subjects import agent_result
from shared.work import Worker


def asked(session_id="s", namespace="main", **more) -> SessionAsk:
    return SessionAsk(namespace=namespace, session_id=session_id, **more)


async def test_load_gives_the_events_in_order(room):
    async with room() as one:
        for title in "abc":
            await one.add(title=title)
        loaded = await one.handlers.load(asked())
        assert [(event.seq, event.title) for event in loaded.events] == [
            (1, "a"),
            (2, "b"),
            (3, "c"),
        ]


async def test_load_pages_by_number_and_by_size(room):
    async with room() as one:
        for _ in range(4):
            await one.add(title="big", body="x" * (PAGE_BYTES // 3))
        first = await one.handlers.load(asked())
        rest = await one.handlers.load(asked(after_seq=first.events[-1].seq, limit=1))
        assert (len(first.events), first.more, len(rest.events), rest.more) == (2, True, 1, True)


@pytest.mark.parametrize("what", ["load", "handoff"])
async def test_another_namespaces_session_is_not_found(room, what):
    async with room() as one:
        await one.add(namespace="mine")
        with pytest.raises(NotFound):
            await getattr(one.handlers, what)(asked(namespace="yours"))


async def test_list_shows_the_latest_first_with_its_open_items(room):
    async with room() as one:
        await one.add("old", title="Old")
        await one.add("new", title="Begin")
        await one.add("new", "session.opened", title="New")
        await one.add("new", "pending.add", event_id="p1")
        await one.add("new", "pending.add")
        await one.add("new", "pending.done", data={"pending": "p1"})
        await one.add("other", namespace="other")
        found = (await one.handlers.list(SessionListAsk(namespace="main"))).sessions
        assert [(s.session_id, s.title, s.events, s.open_items) for s in found] == [
            ("new", "New", 5, 1), ("old", "old", 1, 0),
        ]  # fmt: skip


async def test_a_closed_session_says_so(room):
    async with room() as one:
        await one.add(kind="session.opened")
        await one.add(kind="session.closed")
        found = (await one.handlers.list(SessionListAsk(namespace="main"))).sessions
        assert found[0].status == "closed"


def result(task_id="t1", state="done", **more) -> TaskResult:
    return TaskResult(task_id=task_id, title="Count", state=state, engine="offline", **more)


async def recorded(one, *results):
    """Hand results to the room as the stream would, each twice."""
    for number, each in enumerate(results):
        subject = agent_result("crew", each.task_id)
        for copy in range(2):
            await one.bus.publish(subject, each, f"{number}.{copy}")
    work = asyncio.create_task(Worker(one.bus, RESULTS, one.handlers.finished).run())
    while not await settled(one.bus):  # noqa: ASYNC110 - the server tells nobody
        await asyncio.sleep(0.02)
    work.cancel()
    await asyncio.wait([work])


async def settled(bus) -> bool:
    info = await bus.js.consumer_info("RESULTS", "sessions")
    return not info.num_pending and not info.num_ack_pending


async def test_a_finished_task_becomes_facts_of_the_day_once(room):
    async with room() as one:
        await recorded(one, result(answer="42", at="2026-11-23T23:30:00-02:00"))
        events = (await one.handlers.load(asked("tasks-2026-11-24"))).events
        assert [event.kind for event in events] == ["session.opened", "task.done"]
        assert (events[1].body, events[1].data["is_llm"]) == ("42", False)


async def test_a_finished_task_goes_to_the_session_that_it_names(room):
    async with room() as one:
        await one.add("mine", title="My session")
        reason = {"code": "needs_model", "message": "no model"}
        await recorded(one, result(state="failed", session="mine", reason=reason, at=now()))
        events = (await one.handlers.load(asked("mine"))).events
        assert [(event.kind, event.body) for event in events[1:]] == [("task.failed", "no model")]


async def test_a_task_cannot_write_into_another_namespaces_session(room):
    async with room() as one:
        await one.add("theirs", namespace="theirs")
        await recorded(one, result(session="theirs", at="2026-11-23T10:00:00Z"))
        assert len((await one.handlers.load(asked("theirs", "theirs"))).events) == 1
        assert len((await one.handlers.load(asked("tasks-2026-11-23-main"))).events) == 2


async def test_a_task_that_ends_again_after_a_retry_is_told_again(room):
    async with room() as one:
        first = result(state="failed", at="2026-11-23T10:00:00Z")
        await recorded(one, first, result(answer="42", at="2026-11-23T10:05:00Z"))
        events = (await one.handlers.load(asked("tasks-2026-11-23"))).events
        assert [event.kind for event in events[1:]] == ["task.failed", "task.done"]


ANSWER = """I looked at both.

- **Decision:** Keep PostgreSQL, because the team knows it
Learned: the dump takes four hours
Undecided: the rest
"""


async def test_what_a_task_decided_and_learned_becomes_facts_once(room):
    async with room() as one:
        first = result(answer=ANSWER, session="s", is_llm=True, at="2026-11-23T10:00:00Z")
        later = result("t2", answer="Decision: keep postgresql", session="s", at=now())
        await recorded(one, first, later)
        events = (await one.handlers.load(asked())).events
        found = [e for e in events if e.kind in ("decision", "learning")]
        assert [(e.kind, e.title) for e in found] == [
            ("decision", "Keep PostgreSQL"), ("learning", "the dump takes four hours"),
        ]  # fmt: skip
        assert found[0].data["why"] == "the team knows it"
        assert (found[0].refs, found[0].data["is_llm"]) == (("task:t1",), True)


async def test_a_json_answer_may_list_what_was_decided(room):
    async with room() as one:
        data = {"decisions": [{"what": "Two hosts", "why": "cost"}], "learnings": ["DNS is slow"]}
        await recorded(one, result(data=data, session="s", at=now()))
        head = await one.handlers.heads.of("main", "s")
        assert [e.title for e in head.decisions.values()] == ["Two hosts"]
        assert [e.title for e in head.learnings.values()] == ["DNS is slow"]


async def test_a_failed_task_decided_nothing(room):
    async with room() as one:
        await recorded(one, result(state="failed", answer=ANSWER, session="s", at=now()))
        assert (await one.handlers.heads.of("main", "s")).decisions == {}
