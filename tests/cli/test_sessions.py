import json

from shared.clock import now
from shared.events import (
    Handoff,
    SearchHit,
    SearchReply,
    SessionAppended,
    SessionImported,
    SessionInfo,
    SessionList,
    SessionLoaded,
    StoredEvent,
)
from tests.cli.conftest import answer

HANDOFF = Handoff(
    session_id="s", namespace="main", seq=3, checksum="abc", markdown="# Handoff\n", document={}
)


def event(seq):
    return StoredEvent(
        event_id=f"e{seq}", namespace="main", session_id="s", kind="note", title=f"fact {seq}",
        body="line one\nline two", seq=seq,
    )  # fmt: skip


async def test_list_asks_in_the_namespace_of_the_settings(cli, bus):
    info = SessionInfo(session_id="s", namespace="main", title="Keys")
    asked = await answer(bus, "session.list", SessionList(sessions=(info,)))
    assert "Keys" in (await cli("session", "list")).stdout
    assert asked[0]["namespace"] == "main"


async def test_show_reads_page_after_page(cli, bus):
    pages = [
        SessionLoaded(session_id="s", namespace="main", events=(event(1),), more=True),
        SessionLoaded(session_id="s", namespace="main", events=(event(2),)),
    ]

    async def heard(message):
        await message.respond(pages.pop(0).model_dump_json().encode())

    await bus.nc.subscribe("session.load", cb=heard)
    done = await cli("session", "show", "s", "--json")
    assert [one["seq"] for one in json.loads(done.stdout)["events"]] == [1, 2]


async def test_append_prints_the_id_and_sends_the_data(cli, bus):
    added = SessionAppended(event_id="e1", session_id="s", seq=4)
    asked = await answer(bus, "session.append", added)
    arguments = ("--kind", "decision", "--data", '{"why": "cheap"}', "--tag", "money")
    done = await cli("session", "append", "s", "Stay local", *arguments, "--body", "-", stdin="all")
    assert done.stdout == "e1\n"
    told = [asked[0][name] for name in ("kind", "data", "tags", "body")]
    assert told == ["decision", {"why": "cheap"}, ["money"], "all"]


async def test_data_that_is_no_object_is_wrong_usage(cli, bus):
    for data in ("[1]", "{"):
        done = await cli("session", "append", "s", "x", "--data", data)
        assert (done.exit_code, "--data" in done.stderr) == (2, True)


async def test_search_shows_the_best_first(cli, bus):
    hit = SearchHit(
        event_id="e", session_id="s", kind="note", title="the keys", text="", actor="a",
        at=now(), score=0.91,
    )  # fmt: skip
    await answer(bus, "session.search", SearchReply(hits=(hit,)))
    assert "0.91" in (await cli("session", "search", "keys")).stdout


async def test_handoff_is_markdown_on_stdout_or_in_a_file(cli, bus, tmp_path):
    await answer(bus, "session.handoff", HANDOFF)
    assert (await cli("session", "handoff", "s")).stdout == "# Handoff\n"
    await cli("session", "handoff", "s", "-o", str(tmp_path / "h.md"))
    assert (tmp_path / "h.md").read_text() == "# Handoff\n"


async def test_import_hands_the_document_over(cli, bus, tmp_path):
    (tmp_path / "notes.md").write_text("- open: keys")
    done = SessionImported(
        session_id="notes", namespace="main", lines=1, events=1, duplicates=0, repaired=0
    )
    asked = await answer(bus, "session.import", done)
    result = await cli("session", "import", str(tmp_path / "notes.md"), "--json")
    assert json.loads(result.stdout)["events"] == 1
    assert (asked[0]["name"], asked[0]["text"]) == ("notes.md", "- open: keys")


async def test_documents_that_are_none_are_refused_by_name(cli, bus, tmp_path):
    (tmp_path / "rubbish.bin").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "huge.md").write_text("# Notes\n" + "x" * 10_000_000)
    for name, word in (("rubbish.bin", "not UTF-8"), ("huge.md", "text: is longer than 1500000")):
        done = await cli("session", "import", str(tmp_path / name))
        assert (done.exit_code, word in done.stderr) == (2, True), done.stderr
