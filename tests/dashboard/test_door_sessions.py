import pytest

from shared import events as e
from shared.bus import decode
from shared.errors import NotFound, StaleWriter
from tests.dashboard.conftest import answering, door

HANDOFF = e.Handoff(
    session_id="s1", namespace="main", seq=4, checksum="c", markdown="# Where we are", document={}
)


async def test_the_handoff_comes_as_json_and_as_markdown(parts):
    answers = {"session.handoff": (e.SessionAsk, HANDOFF)}
    async with answering(parts.bus, answers), door(parts) as client:
        body = (await client.get("/sessions/s1/handoff")).json()
        text = await client.get("/sessions/s1/handoff.md")
    assert body["seq"] == 4
    assert (text.text, text.headers["content-type"]) == (
        "# Where we are",
        "text/markdown; charset=utf-8",
    )


async def test_search_is_not_taken_for_a_session(parts):
    answers = {"session.search": (e.SearchAsk, e.SearchReply())}
    async with answering(parts.bus, answers), door(parts) as client:
        assert (await client.get("/sessions/search?q=keys")).json()["hits"] == []
        assert (await client.get("/sessions/search")).json()["error"]["field"] == "q"


async def test_an_unknown_session_is_404(parts):
    answers = {"session.load": (e.SessionAsk, NotFound("no session s9", field="session_id"))}
    async with answering(parts.bus, answers), door(parts) as client:
        answer = await client.get("/sessions/s9")
    assert (answer.status_code, answer.json()["error"]["field"]) == (404, "session_id")


async def test_without_the_service_it_is_503(parts):
    async with door(parts) as client:
        assert (await client.get("/sessions")).status_code == 503


async def test_impossible_names_are_refused_before_they_are_asked_for(parts):
    async with door(parts) as client:
        answer = await client.get("/sessions/a.b")
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "session_id")


async def test_an_event_is_added_under_the_session_of_the_path(parts):
    added = e.SessionAppended(event_id="e1", session_id="s1", seq=4)
    answers = {"session.append": (e.SessionAppend, added)}
    async with answering(parts.bus, answers), door(parts) as client:
        body = {"kind": "note", "title": "told", "session_id": "another"}
        assert (await client.post("/sessions/s1/events", json=body)).json()["seq"] == 4
        wrong = await client.post("/sessions/s1/events", json={"kind": "gossip", "title": "x"})
        empty = await client.post("/sessions/s1/events", json=["no", "object"])
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (422, "kind")
    assert empty.json()["error"]["field"] == "body"


async def test_a_stale_writer_gets_409(parts):
    answers = {"session.append": (e.SessionAppend, StaleWriter("late", field="expected_seq"))}
    async with answering(parts.bus, answers), door(parts) as client:
        body = {"kind": "note", "title": "told", "expected_seq": 1}
        answer = await client.post("/sessions/s1/events", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "stale_writer")


async def test_notes_come_as_markdown_and_a_fork_names_its_parent(parts):
    notes = e.SessionExported(session_id="s1", name="s1.md", text="# Notes", events=1, seq=1)
    parent = e.SessionParent(session_id="s1", seq=1)
    forked = e.SessionBranched(session_id="s2", event_id="o", seq=2, parents=(parent,))
    answers = {
        "session.export": (e.SessionExport, notes),
        "session.fork": (e.SessionBranch, forked),
    }
    async with answering(parts.bus, answers), door(parts) as client:
        assert (await client.get("/sessions/s1/export")).text == "# Notes"
        told = (await client.post("/sessions/s1/fork/s2?seq=1")).json()
    assert told["parents"] == [{"session_id": "s1", "seq": 1}]


FORGOTTEN = e.SessionForgotten(namespace="theirs", sessions=("s1",), events=1, searched_words=1)


@pytest.mark.parametrize(
    ("query", "body", "code"),
    [
        ("?namespace=theirs", {"everything": True}, 200),
        ("?namespace=theirs", {"everything": True, "namespace": "main"}, 422),
        ("?namespace=", {"everything": True}, 422),
        ("", {"everything": True}, 422),
        ("", {"everything": True, "namspace": "theirs"}, 422),
    ],
)
async def test_a_namespace_is_never_guessed_when_one_was_meant(parts, query, body, code):
    heard = await parts.bus.nc.subscribe("session.forget")
    answers = {"session.forget": (e.SessionForget, FORGOTTEN)}
    async with answering(parts.bus, answers), door(parts) as client:
        answer = await client.post(f"/sessions/forget{query}", json=body)
    assert answer.status_code == code
    if code == 200:
        assert decode((await heard.next_msg()).data, e.SessionForget).namespace == "theirs"
    else:
        assert answer.json()["error"]["field"] == "namespace"
    await heard.unsubscribe()
