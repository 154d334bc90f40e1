import pytest

from services.sessions.importing.importer import session_name
from shared.errors import Conflict, InvalidInput
from shared.events import SearchAsk, SessionAsk, SessionImport
from tests.sessions.importing.test_document import HANDOFF, mangled


def document(text=HANDOFF, name="handoff-2030.md", **more) -> SessionImport:
    return SessionImport(namespace="main", name=name, text=mangled(text), **more)


async def handed_off(one, session_id):
    return await one.handlers.handoff(SessionAsk(namespace="main", session_id=session_id))


async def test_a_document_comes_back_as_a_handoff(room):
    async with room() as one:
        done = await one.handlers.take(document())
        markdown = (await handed_off(one, done.session_id)).markdown
        assert done.kinds["pending.add"] == 3 and done.duplicates == 0
        for part in ("[high] Deploy the page", "Stay local", "Caching matters", '"port": 8402'):
            assert part in markdown


async def test_the_same_document_again_adds_nothing(room):
    async with room() as one:
        first = await one.handlers.take(document())
        again = await one.handlers.take(document())
        assert (again.events, again.duplicates) == (0, first.events)
        assert again.last_seq == first.last_seq


async def test_an_open_session_takes_a_document_in_without_losing_its_goal(room):
    async with room() as one:
        await one.add("mine", "session.opened", title="Mine", body="my goal")
        await one.handlers.take(document(session_id="mine"))
        await one.handlers.take(document(session_id="mine"))
        assert "my goal" in (await handed_off(one, "mine")).markdown


async def test_imported_facts_are_found_and_name_their_line(room):
    async with room() as one:
        await one.handlers.take(document())
        found = await one.handlers.search(SearchAsk(namespace="main", query="revenue"))
        event = await one.handlers.load(SessionAsk(namespace="main", session_id="handoff-2030"))
        refs = {e.event_id: e.refs for e in event.events}
        assert refs[found.hits[0].event_id][0].startswith("handoff-2030.md:")


async def test_exported_events_come_back_the_same(room):
    async with room() as one:
        await one.handlers.take(document())
        place = SessionAsk(namespace="main", session_id="handoff-2030")
        loaded = await one.handlers.load(place)
        copy = document(loaded.model_dump_json(), "copy.json")
        await one.handlers.take(copy)
        again = await one.handlers.load(SessionAsk(namespace="main", session_id="copy"))
        strip = {"seq", "session_id"}
        assert [e.model_dump(exclude=strip) for e in again.events] == [
            e.model_dump(exclude=strip) for e in loaded.events
        ]


async def test_a_handoff_can_be_imported_again_with_its_open_items(room):
    async with room() as one:
        done = await one.handlers.take(document())
        made = await handed_off(one, done.session_id)
        await one.handlers.take(document(made.markdown, "again.md"))
        for number in (2, 3, 5):
            one_section, other = (
                [line["text"] for line in each.document["sections"][number]["lines"]]
                for each in (made, await handed_off(one, "again"))
            )
            assert one_section == other


async def test_another_namespaces_session_is_not_imported_into(room):
    async with room() as one:
        await one.add("theirs", namespace="theirs")
        with pytest.raises(Conflict):
            await one.handlers.take(document(session_id="theirs"))


@pytest.mark.parametrize("text", ['{"events":[]}', '{"events":[{"kind":"x"}]}', "", "\x00\x00"])
async def test_what_cannot_be_imported_is_refused(room, text):
    async with room() as one:
        with pytest.raises(InvalidInput):
            await one.handlers.take(document(text))
        assert one.index.last_seq == 0


def test_a_session_takes_the_name_of_its_document():
    assert session_name("handoff-2025-11-15.md") == "handoff-2025-11-15"
    assert session_name("Meine Übergabe (2).md") == "Meine-bergabe-2"
    assert session_name("日本.md").startswith("import-")


async def test_a_goal_that_nobody_gave_is_none_after_an_import_either(room):
    async with room() as one:
        await one.add("plain", title="We ship on Friday")
        text = (await handed_off(one, "plain")).markdown
        ask = SessionImport(namespace="main", name="plain.md", text=text, session_id="copy")
        await one.handlers.take(ask)
        lines = (await handed_off(one, "copy")).document["sections"][0]["lines"]
        assert lines[0]["text"] == "no goal was given"
