import hashlib

import pytest

from services.sessions.handoff import handoff
from shared.errors import Conflict, InvalidInput, NotFound, StaleWriter
from shared.events import (
    LeaseAsk,
    SeenArtifact,
    SessionAsk,
    SessionBranch,
    SessionClose,
    SessionImport,
    SessionParent,
    SessionResume,
)


def branch(new, *parents, **more) -> SessionBranch:
    return SessionBranch(namespace="main", session_id=new, parents=parents, **more)


def parent(name, seq=None) -> SessionParent:
    return SessionParent(session_id=name, seq=seq)


def resume(session_id="s", **more) -> SessionResume:
    return SessionResume(namespace="main", session_id=session_id, **more)


def lease(action="take", **more) -> LeaseAsk:
    return LeaseAsk(namespace="main", session_id="s", action=action, **more)


async def open_items(one, session_id) -> list[str]:
    head = await one.handlers.heads.of("main", session_id)
    return [event.title for event in head.pending.values()]


async def test_a_fork_sees_what_was_before_it_and_nothing_later(room):
    async with room() as one:
        before = await one.add("old", "pending.add", "renew", event_id="p1")
        made = await one.life.fork(branch("new", parent("old", before.seq)))
        await one.add("old", "pending.add", "later")
        assert made.parents == (parent("old", before.seq),)
        assert await open_items(one, "new") == ["renew"]


async def test_a_fork_closes_an_item_for_itself_alone(room):
    async with room() as one:
        await one.add("old", "pending.add", "renew", event_id="p1")
        await one.life.fork(branch("new", parent("old")))
        await one.add("new", "pending.done", "renewed", data={"pending": "p1"})
        assert (await open_items(one, "new"), await open_items(one, "old")) == ([], ["renew"])


async def test_a_merge_takes_the_word_of_both(room):
    async with room() as one:
        for event_id in ("p1", "p2", "p3"):
            await one.add("base", "pending.add", f"item {event_id}", event_id=event_id)
        for name, done in (("a", "p1"), ("b", "p2")):
            await one.life.fork(branch(name, parent("base")))
            await one.add(name, "pending.done", "done", data={"pending": done})
        await one.life.merge(branch("both", parent("a"), parent("b"), goal="one again"))
        assert await open_items(one, "both") == ["item p3"]
        head = await one.handlers.heads.of("main", "both")
        assert (head.goal, head.events) == ("one again", 1)


async def test_what_is_forgotten_in_a_parent_is_gone_from_its_fork(room):
    async with room() as one:
        await one.add("old", "pending.add", "secret")
        await one.life.fork(branch("new", parent("old")))
        await one.bus.js.purge_stream("SESSIONS", seq=2)
        await one.follower.rebuild()
        assert await open_items(one, "new") == []


@pytest.mark.parametrize(
    ("way", "parents"), [("fork", 2), ("merge", 1)], ids=["fork of two", "merge of one"]
)
async def test_a_branch_with_the_wrong_number_of_parents_is_refused(room, way, parents):
    async with room() as one:
        with pytest.raises(InvalidInput, match="parents"):
            await getattr(one.life, way)(branch("new", *map(parent, "ab"[:parents])))


async def test_a_fork_needs_a_parent_of_its_namespace_and_a_new_name(room):
    async with room() as one:
        await one.add("theirs", namespace="theirs")
        await one.add("mine")
        with pytest.raises(NotFound):
            await one.life.fork(branch("new", parent("theirs")))
        with pytest.raises(InvalidInput, match="already"):
            await one.life.fork(branch("mine", parent("mine")))


async def test_a_closed_session_is_handed_over_once(room):
    async with room() as one:
        await one.add("s", "pending.add", "left open")
        ask = SessionClose(namespace="main", session_id="s", reason="enough")
        first, again = await one.life.close(ask), await one.life.close(ask)
        events = (await one.handlers.load(SessionAsk(namespace="main", session_id="s"))).events
        assert [event.kind for event in events[1:]] == ["session.closed", "handoff.made"]
        assert (first.checksum, first) == (events[2].data["checksum"], again)


async def test_while_a_session_is_leased_only_its_holder_writes(room):
    async with room() as one:
        held = await one.life.lease(lease(holder="ann"))
        with pytest.raises(Conflict, match="held by ann"):
            await one.add()
        with pytest.raises(Conflict, match="held by ann"):
            await one.life.lease(lease(holder="bob"))
        assert (await one.add(lease=held.lease)).seq == 1
        await one.life.lease(lease("release", lease=held.lease))
        assert (await one.add()).seq == 2


async def test_a_lease_holds_against_imports_and_resumptions_too(room):
    async with room() as one:
        await one.add()
        held = await one.life.lease(lease(holder="ann"))
        notes = {"namespace": "main", "session_id": "s", "name": "n.md", "text": "# Notes"}
        with pytest.raises(Conflict, match="held by ann"):
            await one.handlers.take(SessionImport(**notes))
        with pytest.raises(Conflict, match="held by ann"):
            await one.life.resume(resume())
        await one.life.resume(resume(record=False))
        assert (await one.handlers.take(SessionImport(**notes, lease=held.lease))).events == 1


async def test_another_instance_hears_of_a_lease(room):
    async with room("a") as one, room("b") as other:
        held = await one.life.lease(lease(holder="ann"))
        await other.leases.look()
        with pytest.raises(Conflict, match="held by ann"):
            await other.add()
        longer = await other.life.lease(lease("renew", lease=held.lease, seconds=600))
        assert longer.until > held.until


async def test_a_lease_is_released_by_its_holder_alone(room):
    async with room() as one:
        await one.life.lease(lease())
        with pytest.raises(InvalidInput, match="lease"):
            await one.life.lease(lease("release", lease="another"))


async def test_a_stale_writer_is_told_where_the_session_is(room):
    async with room() as one:
        first = await one.add()
        await one.add()
        with pytest.raises(StaleWriter, match="is at 2, not 1") as caught:
            await one.add(expected_seq=first.seq)
        assert (caught.value.field, caught.value.code) == ("expected_seq", "stale_writer")


async def test_a_session_where_nothing_changed_resumes_without_drift(room):
    async with room() as one:
        await one.add("s", "pending.add", "renew")
        await one.handlers.handoff(SessionAsk(namespace="main", session_id="s", keep=True))
        told = await one.life.resume(resume())
        assert (told.verified, told.drift) == (True, ())


async def test_resuming_tells_what_happened_since_the_handoff(room):
    async with room() as one:
        await one.add("s", "pending.add", "renew", event_id="p1")
        document = await one.handlers.handoff(SessionAsk(namespace="main", session_id="s"))
        await one.add("s", "pending.done", "renewed", data={"pending": "p1"})
        await one.add("s", "pending.add", "look again")
        told = await one.life.resume(resume(seq=document.seq, checksum=document.checksum))
        found = [(each.kind, each.text) for each in told.drift]
        assert told.verified is True
        assert found == [
            ("moved_on", "2 events came after seq 1"), ("pending_closed", "renew"),
            ("pending_added", "look again"),
        ]  # fmt: skip


async def test_resuming_says_that_a_handoff_is_not_what_the_record_says(room):
    async with room() as one:
        await one.add()
        told = await one.life.resume(resume(seq=1, checksum="0" * 64))
        assert (told.verified, told.drift[0].kind) == (False, "checksum")


async def test_resuming_looks_at_the_artifacts_again(room, tmp_path):
    files = {name: tmp_path / name for name in ("same", "changed", "gone")}
    async with room() as one:
        for name, path in files.items():
            path.write_text(name)
            sha256 = hashlib.sha256(name.encode()).hexdigest()
            await one.add("s", "artifact", name, data={"uri": str(path), "sha256": sha256})
        await one.add("s", "artifact", "relative", data={"uri": "a/b.txt"})
        files["changed"].write_text("other")
        files["gone"].unlink()
        told = await one.life.resume(resume())
        assert {each.kind for each in told.drift} == {
            "artifact_changed", "artifact_missing", "artifact_unchecked",
        }  # fmt: skip
        seen = SeenArtifact(uri="a/b.txt", exists=True)
        told = await one.life.resume(resume(artifacts=[seen], record=False))
        assert "artifact_unchecked" not in {each.kind for each in told.drift}


async def test_a_resumption_is_recorded_unless_one_only_looks(room):
    async with room() as one:
        await one.add()
        await one.life.resume(resume(record=False))
        assert one.index.last_seq == 1
        await one.life.resume(resume(by="ann"))
        head = await one.handlers.heads.of("main", "s")
        assert (head.last.kind, head.last.actor) == ("session.resumed", "ann")


async def test_a_snapshot_gives_the_same_bytes_as_the_whole_record(room):
    async with room() as one:
        kinds = ("pending.add", "decision", "note", "learning", "task.done")
        for number in range(210):
            await one.add("s", kinds[number % 5], f"fact {number}", event_id=f"e{number}")
        heads = one.handlers.heads
        first = handoff(await heads.of("main", "s"))
        ((kept,),) = await one.index.reader.execute_fetchall("SELECT count(*) FROM snapshot")
        await one.add("s", "pending.done", "done", data={"pending": "e0"})
        whole = handoff(await heads.at("main", "s", one.index.last_seq))
        assert (kept, handoff(await heads.of("main", "s")).markdown) == (1, whole.markdown)
        assert first.markdown != whole.markdown


async def test_a_damaged_snapshot_is_not_believed(room):
    async with room() as one:
        await one.add("s", title="kept")
        await one.index.keep_head(1, b"rubbish", "")
        assert [e.title for e in (await one.handlers.heads.of("main", "s")).notes.values()]
