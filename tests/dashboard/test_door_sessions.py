from shared import events as e
from shared.errors import NotFound
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
        assert (await client.get("/sessions/search?q=keys")).json() == {"hits": []}
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
