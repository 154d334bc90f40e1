import hashlib
import json

import pytest

from shared.clock import now
from shared.events import (
    Drift,
    Handoff,
    Lease,
    SessionBranched,
    SessionClosed,
    SessionContext,
    SessionExported,
    SessionForgotten,
    SessionParent,
    SessionReindexed,
    SessionResumed,
)
from tests.cli.conftest import answer

LINES = [{"event_id": "e1", "text": "the notes", "uri": "notes.md"}]
HANDOFF = Handoff(
    session_id="s", namespace="main", seq=3, checksum="a" * 64, markdown="# Handoff\n",
    document={"sections": [{"name": "artifacts", "lines": LINES}]},
)  # fmt: skip


def resumed(**more) -> SessionResumed:
    return SessionResumed(session_id="s", namespace="main", seq=3, handoff=HANDOFF, **more)


async def test_context_prints_the_facts(cli, bus):
    found = SessionContext(namespace="main", text="## Open items\n- keys `e1`", tokens=9)
    asked = await answer(bus, "session.context", found)
    done = await cli("session", "context", "the keys", "--session", "s", "--tokens", "200")
    assert done.stdout == "## Open items\n- keys `e1`\n"
    assert (asked[0]["session_id"], asked[0]["tokens"]) == ("s", 200)


async def test_resume_looks_at_the_files_that_lie_here(cli, bus, tmp_path):
    (tmp_path / "notes.md").write_text("hello")
    await answer(bus, "session.handoff", HANDOFF)
    asked = await answer(bus, "session.resume", resumed(verified=True))
    done = await cli("session", "resume", "s", "--look")
    assert (done.exit_code, done.stdout) == (0, "# Handoff\n")
    digest = hashlib.sha256(b"hello").hexdigest()
    assert asked[0]["artifacts"] == [{"uri": "notes.md", "exists": True, "sha256": digest}]
    assert asked[0]["record"] is False


async def test_resume_fails_when_the_handoff_is_not_true(cli, bus, tmp_path):
    drift = Drift(kind="checksum", text="something was forgotten")
    await answer(bus, "session.handoff", HANDOFF)
    asked = await answer(bus, "session.resume", resumed(verified=False, drift=(drift,)))
    text = f"Session `s` in namespace `main`, seq 2, open.\nChecksum: `sha256:{'b' * 64}`\n"
    (tmp_path / "old.md").write_text(text)
    done = await cli("session", "resume", "s", "--handoff", str(tmp_path / "old.md"))
    assert (done.exit_code, "checksum: something was forgotten" in done.stderr) == (1, True)
    assert (asked[0]["checksum"], asked[0]["seq"]) == ("b" * 64, 2)


async def test_a_file_that_is_no_handoff_is_wrong_usage(cli, tmp_path):
    (tmp_path / "no.md").write_text("hello")
    done = await cli("session", "resume", "s", "--handoff", str(tmp_path / "no.md"))
    assert (done.exit_code, "no handoff" in done.stderr) == (2, True)


BRANCHED = SessionBranched(
    session_id="new", event_id="o", seq=9, parents=(SessionParent(session_id="a", seq=4),)
)


@pytest.mark.parametrize(
    ("words", "parents"),
    [
        (("fork", "a", "new", "--at", "4"), [{"session_id": "a", "seq": 4}]),
        (
            ("merge", "new", "a", "b"),
            [{"session_id": "a", "seq": None}, {"session_id": "b", "seq": None}],
        ),
    ],
)
async def test_fork_and_merge_name_the_new_session(cli, bus, words, parents):
    asked = await answer(bus, f"session.{words[0]}", BRANCHED)
    assert (await cli("session", *words)).stdout == "new\n"
    assert (asked[0]["parents"], asked[0]["session_id"]) == (parents, "new")


async def test_close_lease_and_reindex_print_what_came_of_it(cli, bus):
    closed = SessionClosed(session_id="s", seq=7, handoff="h", checksum="c")
    await answer(bus, "session.close", closed)
    assert (await cli("session", "close", "s")).stdout == "closed at 7\n"
    held = Lease(namespace="main", session_id="s", lease="L1", holder="ann", since=now(),
                 until=now())  # fmt: skip
    asked = await answer(bus, "session.lease", held)
    assert (await cli("session", "lease", "s", "renew", "--lease", "L1")).stdout == "L1\n"
    assert (asked[0]["action"], asked[0]["lease"]) == ("renew", "L1")
    await answer(bus, "session.reindex", SessionReindexed(last_seq=9, events=8, seconds=0.5))
    assert (await cli("session", "reindex")).stdout == "8 events up to 9 in 0.5 s\n"


async def test_export_writes_the_document(cli, bus, tmp_path):
    found = SessionExported(session_id="s", name="s.md", text="# Notes\n", events=2, seq=2)
    await answer(bus, "session.export", found)
    assert (await cli("session", "export", "s")).stdout == "# Notes\n"
    await cli("session", "export", "s", "-o", str(tmp_path / "AGENTS.md"))
    assert (tmp_path / "AGENTS.md").read_text() == "# Notes\n"


async def test_forgetting_asks_first_and_prints_the_proof(cli, bus):
    done = SessionForgotten(namespace="main", sessions=("s",), events=3, searched_words=5)
    asked = await answer(bus, "session.forget", done)
    refused = await cli("session", "forget", "--session", "s")
    assert (refused.exit_code, asked) == (2, [])
    told = await cli("session", "forget", "--session", "s", "--yes", "--json")
    assert json.loads(told.stdout)["found_after"] == 0


def document(markdown) -> Handoff:
    return HANDOFF.model_copy(update={"markdown": markdown})


WHOLE = (
    "# Handoff: Keys\n\nSession `s` in namespace `main`, seq 3, open.\n\n"
    f"- keep the keys `e1`\n\nChecksum: `sha256:{'a' * 64}`\n"
)


@pytest.mark.parametrize(
    ("held", "code"),
    [
        (WHOLE, 0),
        (f"{WHOLE}\n## Summary\n\nAll is well. `e1`\n", 0),
        (WHOLE.replace("\n", "\r\n"), 0),
        (document(WHOLE).model_dump_json(), 0),
        (WHOLE.replace("keep", "sell"), 1),
        (document(WHOLE).model_dump_json().replace("the notes", "nothing"), 1),
    ],
)
async def test_a_handoff_whose_text_was_altered_is_not_true(cli, bus, tmp_path, held, code):
    await answer(bus, "session.handoff", document(WHOLE))
    await answer(bus, "session.resume", resumed(verified=True))
    (tmp_path / "held").write_bytes(held.encode())
    done = await cli("session", "resume", "s", "--handoff", str(tmp_path / "held"))
    assert (done.exit_code, "the document at hand" in done.stderr) == (code, bool(code))


async def test_an_empty_namespace_is_never_taken_for_the_default(cli, bus):
    done = SessionForgotten(namespace="main", sessions=("s",), events=3, searched_words=5)
    asked = await answer(bus, "session.forget", done)
    told = await cli("session", "forget", "--everything", "--namespace", "", "--yes")
    listed = await cli("session", "list", "--namespace", "")
    assert (told.exit_code, listed.exit_code, asked) == (2, 2, [])
