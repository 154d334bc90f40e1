"""What people and programs send by mistake: a typed error that names the field, nothing lost."""

import pytest
from pydantic import ValidationError

from services.sessions.healing import healing
from services.sessions.importing.document import understand
from shared import events as e
from shared.bus import decode
from shared.errors import InvalidInput

MIB = 1024 * 1024

ASKS = (
    (e.SessionAppend, {"session_id": "s", "kind": "note", "title": "t"}),
    (e.SessionAsk, {"session_id": "s"}),
    (e.SessionListAsk, {}),
    (e.SearchAsk, {"query": "q"}),
    (e.SessionContextAsk, {}),
    (e.SessionImport, {"name": "n", "text": "t"}),
    (e.SessionForget, {"everything": True}),
    (e.SessionBranch, {"session_id": "s", "parents": [{"session_id": "p"}]}),
    (e.LeaseAsk, {"session_id": "s"}),
    (e.SessionClose, {"session_id": "s"}),
    (e.SessionResume, {"session_id": "s"}),
    (e.SessionExport, {"session_id": "s"}),
)


@pytest.mark.parametrize(("kind", "fields"), ASKS, ids=[kind.__name__ for kind, _ in ASKS])
def test_no_request_goes_without_a_namespace(kind, fields):
    kind.model_validate(fields | {"namespace": "main"})
    with pytest.raises(ValidationError, match="namespace"):
        kind.model_validate(fields)


@pytest.mark.parametrize("name", ["", "a.b", "*", ">", "a b", "x" * 65, "ä"])
def test_a_namespace_that_could_reach_further_is_refused(name):
    body = f'{{"namespace": "{name}", "query": "q"}}'.encode()
    with pytest.raises(InvalidInput) as caught:
        decode(body, e.SearchAsk)
    assert caught.value.field == "namespace"


async def test_an_event_of_two_mib_is_refused_and_told_where_to_put_it(room):
    async with room() as one:
        with pytest.raises(InvalidInput, match="object store") as caught:
            await one.add(kind="artifact", data={"uri": "x", "blob": "A" * 2 * MIB})
        assert caught.value.field == "data"
        assert (await one.bus.js.stream_info("SESSIONS")).state.messages == 0


async def test_a_request_larger_than_a_message_is_refused_before_it_is_sent(room):
    async with room() as one:
        ask = e.SessionAppend(namespace="main", session_id="s", kind="note", title="t",
                              data={"blob": "A" * 3 * MIB})  # fmt: skip
        with pytest.raises(InvalidInput, match="too large"):
            await one.bus.request("session.append", ask, e.SessionAppended)


async def test_controls_and_broken_text_are_kept_and_break_nothing(room):
    async with room() as one:
        odd = "\x00\x1b[2J \u202e `](x) <script> \ud7ff pear"
        await one.add(title=odd, body=odd, data={"\x00": odd})
        reply = await one.handlers.search(e.SearchAsk(namespace="main", query="pear"))
        assert reply.hits[0].title == odd
        assert (await one.handlers.handoff(e.SessionAsk(namespace="main", session_id="s"))).markdown


@pytest.mark.parametrize(
    ("kind", "data", "field"),
    [
        ("learning", {"confidence": 7}, "data.confidence"),
        ("pending.add", {"priority": "soon"}, "data.priority"),
        ("pending.done", {}, "data.pending"),
        ("artifact", {"uri": "x", "sha256": "short"}, "data.sha256"),
        ("state.set", {"key": ""}, "data.key"),
    ],
)
async def test_data_that_does_not_fit_its_kind_names_the_field(room, kind, data, field):
    async with room() as one:
        with pytest.raises(InvalidInput) as caught:
            await one.add(kind=kind, data=data)
        assert caught.value.field == field


def test_ten_megabytes_are_refused_by_name():
    body = b'{"namespace":"m","name":"n","text":"' + b"x" * 10 * MIB + b'"}'
    with pytest.raises(InvalidInput, match="longer than 1500000") as caught:
        decode(body, e.SessionImport)
    assert caught.value.field == "text"


@pytest.mark.parametrize("text", ["", " \n\t\n", "\x00\x01\x02" * 50, "\ufffd" * 20 + "PK"])
def test_rubbish_is_no_document(text):
    with pytest.raises(InvalidInput, match="text:"):
        understand(text, "rubbish.bin")


async def test_an_index_that_breaks_while_it_is_used_heals_itself(room):
    async with room() as one:
        for number in range(50):
            await one.add(title=f"pear {number}", body="x" * 500)
        ask = e.SearchAsk(namespace="main", query="pear")
        before = await one.handlers.search(ask)
        await damage(one.index)
        search = healing(one.follower, one.handlers.search)
        assert await search(ask) == before
        assert (one.follower.builds, (await one.add(title="after")).seq) == (1, 51)


async def test_an_index_that_is_cut_off_while_it_is_used_heals_itself(room):
    async with room() as one:
        await one.add(title="the pear")
        ask = e.SearchAsk(namespace="main", query="pear")
        before = await one.handlers.search(ask)
        for suffix in ("", "-wal"):
            one.index.path.with_name(one.index.path.name + suffix).write_bytes(b"")
        search = healing(one.follower, one.handlers.search)
        assert await search(ask) == before
        told = e.SessionAppend(namespace="main", session_id="s", kind="note", title="after")
        assert (await healing(one.follower, one.handlers.append)(told)).seq == 2
        await one.follower.wait_for(2)
        assert (one.follower.builds, one.index.last_seq) == (1, 2)


async def damage(index) -> None:
    """Overwrite the file as a failing disk would."""
    await index.writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
    size = index.path.stat().st_size
    with index.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    for connection in (index.writer, index.reader):
        await connection.execute_fetchall("PRAGMA shrink_memory")
    await index.read(lambda db: db.execute("PRAGMA shrink_memory").fetchall())


async def test_a_handler_that_fails_otherwise_is_not_asked_twice(room):
    async with room() as one:
        asked = []

        async def refuse(ask):
            asked.append(ask)
            raise InvalidInput("no")

        with pytest.raises(InvalidInput):
            await healing(one.follower, refuse)(e.SessionListAsk(namespace="main"))
        assert len(asked) == 1
