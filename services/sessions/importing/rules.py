"""How each part of a handoff becomes facts. Whatever a rule leaves over is kept as a note."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.sessions.importing import fields
from services.sessions.importing.drafts import Draft, Read
from services.sessions.importing.grouping import Item, items
from services.sessions.importing.outline import Block, Section, plain, text_of, walk
from services.sessions.importing.roles import priority_of
from shared.events.tasks import Priority

DECISION_FIELDS = {
    "what": "what", "decision": "what", "why": "why", "reason": "why", "rationale": "why",
    "because": "why", "impact": "impact", "consequence": "impact", "consequences": "impact",
    "status": "status", "rejected": "rejected", "alternatives": "rejected",
    "alternatives considered": "rejected",
}  # fmt: skip


def pending(section: Section, read: Read) -> None:
    """Open items, with the priority of their heading or their own; ticked ones are done."""
    for part in walk(section):
        priority = priority_of(part.title)
        if part is not section and priority is None and fields.unnumbered(part.title) != part.title:
            found = [Item(part.title, part.line, None, part.blocks)]
            rest: list[Block] = []
        else:
            found, rest = items(part.blocks)
        for item in found:
            read.add(_pending(item, priority))
        _left(part, rest, read)


def _pending(item: Item, heading: Priority | None) -> Draft:
    own, text = fields.label(item.title)
    title = fields.unnumbered(plain(text))
    if item.checked:
        return Draft("note", title, item.line, item.body, tags=("accomplished",))
    data = {"priority": (own or heading or Priority.NORMAL).value}
    for block in list(item.below):
        name, value = fields.loosely_named(block.text) or ("", "")
        if name.lower() in ("owner", "due") and value:
            data[name.lower()] = value
            item.below.remove(block)
    if owner := fields.owner(item.title):
        data["owner"] = owner
    return Draft("pending.add", title, item.line, item.body, data)


def decisions(section: Section, read: Read) -> None:
    """A subsection is a decision; without subsections, each item is one."""
    for part in section.sections:
        read.add(_decision(Item(part.title, part.line, None, _all_blocks(part))))
    found, rest = items(section.blocks)
    for item in found:
        read.add(_decision(item))
    _left(section, rest, read)


def _decision(item: Item) -> Draft:
    title = fields.unnumbered(plain(fields.label(item.title)[1]))
    data: dict[str, object] = {}
    rest: list[Block] = []
    for block in item.below:
        pair = fields.loosely_named(block.text)
        name = DECISION_FIELDS.get(pair[0].lower()) if pair else None
        if pair is None or name is None:
            rest.append(block)
        else:
            value = pair[1] or "; ".join(plain(below.text) for below in block.below)
            data[name] = [v.strip() for v in value.split(";")] if name == "rejected" else value
    return Draft("decision", title, item.line, Item("", 0, None, rest).body, data)


def learnings(section: Section, read: Read) -> None:
    """Each item is a learning; its subsection is its tag."""
    for part in walk(section):
        found, rest = items(part.blocks)
        tags = () if part is section else (part.title.lower(),)
        for item in found:
            read.add(_learning(item, tags))
        _left(part, rest, read)


def _learning(item: Item, tags: tuple[str, ...]) -> Draft:
    data: dict[str, object] = {}
    for block in list(item.below):
        name, value = fields.loosely_named(block.text) or ("", "")
        if name.lower() == "evidence" and value:
            data["evidence"] = value
            item.below.remove(block)
    title = fields.unnumbered(plain(fields.label(item.title)[1]))
    return Draft("learning", title, item.line, item.body, data, tags)


def artifacts(section: Section, read: Read) -> None:
    """Each line of code and each item is a path, perhaps with ` - what it is`."""
    for part in walk(section):
        for block in part.blocks:
            rows = block.text.splitlines() if block.kind == "code" else [block.text]
            for offset, row in enumerate(rows, 1 if block.kind == "code" else 0):
                _artifact(row, block.line + offset, read)


def _artifact(row: str, line: int, read: Read) -> None:
    path, _, about = plain(fields.label(row)[1]).partition(" - ")
    uri = path.strip(" `")
    if " " in uri or not uri:
        if row.strip():
            read.add(Draft("note", row.strip(), line, tags=("artifact",)))
            read.doubt(line, row.strip(), "not a path; kept as a note")
        return
    title = about.strip() or uri.rsplit("/", 1)[-1] or uri
    read.add(Draft("artifact", title, line, data={"uri": uri}))


def commands(section: Section, read: Read) -> None:
    """Each code block is a way to verify or do something; so is an item."""
    for part in walk(section):
        text = [block for block in part.blocks if block.kind == "text"]
        for block in part.blocks:
            if block.kind == "code":
                body = "\n".join([*(each.text for each in text), block.text])
                read.add(Draft("note", part.title, block.line, body, tags=("command",)))
            elif block.kind == "item":
                body = Item(block.text, block.line, None, list(block.below)).body
                title = plain(fields.label(block.text)[1])
                read.add(Draft("note", title, block.line, body, tags=("command",)))
        if not any(block.kind == "code" for block in part.blocks):
            _left(part, text, read)


def notes_with(*tags: str) -> Callable[[Section, Read], None]:
    """Return the rule for a part whose items, or subsections, become notes with these tags."""

    def rule(section: Section, read: Read) -> None:
        for part in section.sections:
            title = fields.unnumbered(part.title)
            read.add(Draft("note", title, part.line, text_of(_all_blocks(part)), tags=tags))
        found, rest = items(section.blocks)
        for item in found:
            title = fields.unnumbered(plain(fields.label(item.title)[1]))
            read.add(Draft("note", title, item.line, item.body, tags=tags))
        _left(section, rest, read)

    return rule


def notes(section: Section, read: Read) -> None:
    """A list is a note an item; anything else is one note a section."""
    for part in walk(section):
        if part.blocks and all(block.kind == "item" for block in part.blocks):
            notes_with()(Section(part.level, part.title, part.line, part.blocks), read)
        elif part.blocks or part is not section:
            note(part, read)


def note(section: Section, read: Read) -> None:
    """Keep a section's own text as one note."""
    title = section.title or "Beginning"
    read.add(Draft("note", title, section.line, text_of(section.blocks)))


def _all_blocks(section: Section) -> list[Block]:
    blocks = list(section.blocks)
    for part in section.sections:
        blocks += [Block("text", f"**{part.title}**", part.line), *_all_blocks(part)]
    return blocks


def _left(section: Section, rest: Sequence[Block], read: Read) -> None:
    kept = [block for block in rest if not block.text.startswith("Checksum: `sha256:")]
    if kept:
        read.add(Draft("note", section.title, kept[0].line, text_of(kept)))
        read.doubt(kept[0].line, kept[0].text, f"not an item of {section.title!r}; kept as a note")
