import orjson
import pytest

from services.sessions.exporting import Exporter
from shared.errors import NotFound
from shared.events import SessionExport, SessionImport

AGENTS = """# Shop

## Goal

Sell pears.

## Setup commands

- Install: `make setup`

```bash
make test
```

## Code style

- No globals
- Four spaces

## Decisions

- Keep PostgreSQL
  - why: the team knows it
"""


async def export(one, session_id="s", form="notes"):
    ask = SessionExport(namespace="main", session_id=session_id, form=form)
    return await Exporter(one.index, one.handlers.heads).export(ask)


async def take(one, text, session_id="s", name="AGENTS.md"):
    ask = SessionImport(namespace="main", session_id=session_id, name=name, text=text)
    return await one.handlers.take(ask)


async def filled(one):
    await one.add("s", "session.opened", "The move", data={"goal": "Done by Friday"})
    await one.add("s", "decision", "Two hosts", data={"why": "cost", "rejected": ["one", "ten"]})
    await one.add("s", "learning", "DNS is slow", data={"evidence": "measured"})
    await one.add("s", "pending.add", "Renew", body="by\nhand", data={"priority": "high"})
    await one.add("s", "state.set", "router", data={"key": "router", "value": {"port": 8402}})
    await one.add("s", "artifact", "notes", data={"uri": "/srv/notes.md"})
    await one.add("s", "note", "The disk", body="is old", tags=("risk",))
    await one.add("s", "note", "Check", body="make test", tags=("command",))
    await one.add("s", "note", "Hello")


async def test_notes_come_back_as_the_same_facts(room):
    async with room() as one:
        await filled(one)
        first = await export(one)
        done = await take(one, first.text, "copy")
        assert (await export(one, "copy")).text == first.text
        assert (done.events, done.not_understood) == (9, ())


async def test_notes_taken_back_into_their_own_session_add_nothing(room):
    async with room() as one:
        await filled(one)
        before = one.index.last_seq
        done = await take(one, (await export(one)).text)
        assert (done.events, done.duplicates, one.index.last_seq) == (0, 9, before)


async def test_an_agents_file_becomes_facts_and_goes_out_again(room):
    async with room() as one:
        await take(one, AGENTS)
        again = await take(one, AGENTS)
        text = (await export(one)).text
        assert again.events == 0
        for part in ("# Shop", "Sell pears.", "make test", "No globals", "why: the team knows it"):
            assert part in text


async def test_only_what_is_new_in_a_document_is_added(room):
    async with room() as one:
        await take(one, AGENTS)
        done = await take(one, AGENTS + "- Two hosts\n")
        assert done.kinds == {"decision": 1}


async def test_json_holds_every_event_and_comes_back(room):
    async with room() as one:
        await filled(one)
        first = await export(one, form="json")
        assert len(orjson.loads(first.text)["events"]) == first.events == 9
        assert (await take(one, first.text, "copy", "s.json")).events == 9
        assert (await export(one, "copy")).text == (await export(one)).text


async def test_another_namespaces_session_is_not_exported(room):
    async with room() as one:
        await one.add("theirs", namespace="theirs")
        with pytest.raises(NotFound):
            await export(one, "theirs")
