import asyncio

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sessions.fold import fold
from services.sessions.handoff import SECTIONS, WORDS, checksum_of, handoff
from shared.clock import now
from shared.events import SessionAsk, StoredEvent

AT = now()


def event(seq, kind="note", title="a title", **more) -> StoredEvent:
    return StoredEvent(
        event_id=f"e{seq}", namespace="main", session_id="s", kind=kind, title=title, seq=seq,
        at=AT, **more,
    )  # fmt: skip


def closing(kind) -> list[StoredEvent]:
    return [event(1, "pending.add", "deploy"), event(2, kind, "x", data={"pending": "e1"})]


def lines(events, name):
    made = handoff(fold(events, "s", "main"))
    return next(s["lines"] for s in made.document["sections"] if s["name"] == name)


def texts(events, name):
    return [line["text"] for line in lines(events, name)]


def test_open_items_stand_in_the_order_of_their_priority():
    given = [
        event(n, "pending.add", p, data={"priority": p})
        for n, p in enumerate(("low", "urgent", "normal", "high"), 1)
    ]
    assert texts(given, "open") == ["urgent", "high", "normal", "low"]


def test_a_done_item_moves_to_where_things_stand():
    given = [
        event(1, "pending.add", "deploy"),
        event(2, "pending.done", "x", data={"pending": "e1"}),
    ]
    assert (texts(given, "open"), texts(given, "stands")) == ([], ["deploy"])


def test_a_dropped_item_is_neither_open_nor_done():
    given = [
        event(1, "pending.add", "deploy"),
        event(2, "pending.drop", "x", data={"pending": "e1"}),
    ]
    assert (texts(given, "open"), texts(given, "stands")) == ([], [])


def test_a_superseded_decision_is_not_live_any_more():
    given = [event(1, "decision", "tabs"), event(2, "decision", "spaces", supersedes="e1")]
    assert texts(given, "decisions") == ["spaces"]


def test_the_last_value_of_a_state_key_counts_and_null_removes_it():
    given = [
        event(n, "state.set", data={"key": key, "value": value})
        for n, (key, value) in enumerate((("a", 1), ("a", 2), ("b", 3), ("b", None)), 1)
    ]
    assert [(line["text"], line["value"]) for line in lines(given, "state")] == [("a", 2)]


def test_a_task_without_a_language_model_says_so():
    given = [event(1, "task.done", "count", data={"engine": "offline", "is_llm": False})]
    assert "(offline, no language model)" in handoff(fold(given, "s", "main")).markdown


def test_there_are_twelve_sections_and_every_line_names_its_event():
    given = [event(1, "session.opened"), event(2, "learning", data={"confidence": 0.5})]
    made = handoff(fold(given, "s", "main"))
    found = made.document["sections"]
    assert len(found) == len(SECTIONS) == 12
    assert all(line["event_id"] in ("e1", "e2") for each in found for line in each["lines"])


def test_a_long_history_loses_its_oldest_done_things_and_no_open_one():
    done = [event(n, "task.done", f"task {n} " + "word " * 20) for n in range(1, 200)]
    open_ = [event(n, "pending.add", f"item {n} " + "word " * 20) for n in range(200, 300)]
    made = handoff(fold(done + open_, "s", "main"))
    sections = {each["name"]: each for each in made.document["sections"]}
    assert len(sections["open"]["lines"]) == 100
    assert sections["stands"]["lines"][-1]["event_id"] == "e199"
    assert sections["stands"]["cut"] > 0 and len(made.markdown.split()) > WORDS


def test_text_cannot_become_structure():
    made = handoff(fold([event(1, "note", "a\n# b", body="```\n# c\n- d")], "s", "main"))
    assert [
        row for row in made.markdown.splitlines() if row.startswith(("# b", "# c", "- d"))
    ] == []


KINDS = ("note", "pending.add", "decision", "learning", "task.done", "task.failed", "message")
EVENTS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.text("ab\n#-`é", min_size=1, max_size=20)), max_size=20
)


@settings(max_examples=50, deadline=None)
@given(EVENTS)
def test_the_same_facts_give_the_same_bytes(pairs):
    facts = [event(n, kind, f"t{title}") for n, (kind, title) in enumerate(pairs, 1)]
    one, other = (handoff(fold(facts, "s", "main")) for _ in range(2))
    assert one.model_dump_json() == other.model_dump_json()
    assert one.checksum == checksum_of(orjson.loads(orjson.dumps(one.document)))


async def test_two_hosts_give_the_same_handoff(room):
    async with room("a") as one, room("b") as other:
        last = await asyncio.gather(*(one.add(title=f"{n}", kind="pending.add") for n in range(5)))
        await other.follower.wait_for(max(answer.seq for answer in last))
        ask = SessionAsk(namespace="main", session_id="s")
        assert await one.handlers.handoff(ask) == await other.handlers.handoff(ask)


def test_the_title_is_what_the_session_was_opened_with_else_its_id():
    noted = [event(1, "note", "We ship on Friday")]
    named = [*noted, event(2, "session.opened", "The shop"), event(3, "session.opened", "Later")]
    titles = [handoff(fold(given, "s", "main")).document["title"] for given in (noted, named)]
    assert titles == ["s", "The shop"]


def test_a_goal_that_nobody_gave_is_not_made_up():
    given = [event(1, "note", "We ship on Friday")]
    assert texts(given, "goal") == ["no goal was given", "open, 1 events, 0 open items"]
    opened = [event(1, "session.opened", "The shop", data={"goal": "Sell tea"})]
    assert texts(opened, "goal")[0] == "Sell tea"


def test_a_session_without_events_has_an_empty_handoff():
    assert handoff(fold([], "s", "main")).document["events"] == 0
