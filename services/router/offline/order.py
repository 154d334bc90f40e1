"""Show items: grouped as the text has them, or in order with the words that put them there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from services.router.offline.items import Item
from services.router.offline.markup import Ask
from services.router.offline.pending import Open, all_items, find_open
from services.router.offline.relations import without_relations
from services.router.offline.sentences import sentences
from services.router.offline.sequence import Sorted, in_order, sequence

ALSO = ("Also named as next:", "Auch als Nächstes genannt:")
"""How an earlier step's output heads what is not itself open work."""
_WAITS = re.compile(
    r"\b(?:once|after|until|depends? on|blocked by|waiting (?:for|on)|requires?|as soon as|"
    r"sobald|erst wenn|erst nach|hängt (?:von|ab)|wartet auf|blockiert durch|setzt voraus)\b",
    re.IGNORECASE,
)
_LONGEST_BOLD = 160
_MOST_ITEMS = 200
_MOST_PIECES = 5_000
_MOST_REASONS = 3
_LONGEST_NAME = 80


def show_open(found: Open, say: dict[str, str]) -> str:
    """Return what is open, grouped by the headings that it stands under."""
    if not found:
        return say["all_done"].format(count=found.done)
    blocks = [_group(items) for items in _groups(found.items)]
    for items in _groups(found.following):
        title = say["also_next"].format(title=_place(items[0]))
        blocks.append(_block(title, [_line(item, "-") for item in items]))
    if found.sentences:
        blocks.append(_block(say["told"], [f"- “{item.title}”" for item in found.sentences]))
    return "\n\n".join(blocks)


def show_order(ask: Ask, say: dict[str, str]) -> str | None:
    """Return the open items in order, first those of earlier steps; None when there are none."""
    items, following = _given(ask)
    if not items:
        return None
    found = sequence(items, _beside(ask))
    lines = [_ordered(found, place, say) for place in range(len(found.items))]
    blocks = [_why(found, say), "\n".join(lines[:_MOST_ITEMS])]
    if found.broken:
        quotes = [f"- “{relation.words}”" for relation in found.broken]
        blocks.append("\n".join([say["order_circle"], *quotes]))
    for group in _groups(following):
        told = say["sequence"].format(title=_named_next(_place(group[0])))
        blocks.append("\n".join([told, *(_line(item, "-") for item in in_order(group))]))
    return "\n\n".join(blocks)


def _beside(ask: Ask) -> Iterator[str]:
    """Yield sentences of the documents, which may tell of the order of the items."""
    for source in ask.documents:
        for _, piece in islice(source.shape.all_pieces(), _MOST_PIECES):
            if piece.kind in ("text", "item"):
                yield from sentences(piece.text)


def _given(ask: Ask) -> tuple[list[Item], list[Item]]:
    """Return (items, those named as next) from the inputs, else from the documents."""
    items: list[Item] = []
    following: list[Item] = []
    for source in ask.inputs:
        for item in all_items(source):
            also = any(part.startswith(ALSO) for part in item.path)
            (following if also else items).append(item)
    if items or following:
        return (items, following) if items else (following, [])
    found = find_open(ask.documents or ask.sources)
    return list(found.best), list(found.following) if found.items else []


def _why(found: Sorted, say: dict[str, str]) -> str:
    """Return the line that says what the order follows; only what the text gives is named."""
    given = {
        "by_labels": any(item.rank is not None for item in found.items),
        "by_words": bool(found.kept),
        "by_days": any(found.words),
        "by_numbers": any(item.number is not None for item in found.items),
    }
    named = [say[name] for name, is_given in given.items() if is_given]
    if not named:
        return say["order_text"]
    return say["order_by"].format(what=say["then"].join(named))


def _ordered(found: Sorted, place: int, say: dict[str, str]) -> str:
    """Return one place of the order, with the words of the text that put it there."""
    item = found.items[place]
    notes = [item.label] if item.label and item.label not in item.title else []
    if not item.label and any(other.label for other in found.items):
        notes = [say["no_label"]]
    if item.number is not None:
        notes.append(f"{say['number']} {item.number}")
    shown = f"{place + 1}. {_bold(item.title)}" + (f" ({', '.join(notes)})" if notes else "")
    return "\n".join([shown, *(f"   - {line}" for line in _reasons(found, place, say))])


def _reasons(found: Sorted, place: int, say: dict[str, str]) -> list[str]:
    """Return what the text says of an item's place: before, after, its day, what it waits for."""
    item, own = found.items[place], found.places[place]
    told = _relations(found, own)
    lines = [
        say[side].format(title=say["and"].join(titles), words=words)
        for (side, words), titles in told.items()
    ][:_MOST_REASONS]
    known = [item.title, *lines, *(words for _, words in told)]
    quotes = [found.words[own], *(text for _, text in item.details if _WAITS.search(text))]
    new = [q for q in quotes if not any(q in each or each in q for each in known)]
    return [*lines, *(f"{say['waits']}: “{text}”" for text in new[:_MOST_REASONS])]


def _relations(found: Sorted, own: int) -> dict[tuple[str, str], list[str]]:
    """Return the quoted titles by (side, words): what the item says itself, and what moved it."""
    titles = dict(zip(found.places, (item.title for item in found.items), strict=True))
    told: dict[tuple[str, str], list[str]] = {}
    for relation in found.kept:
        counts = relation.teller in (own, None) or relation in found.moved
        if counts and own in (relation.first, relation.then):
            is_after = relation.then == own
            other = titles[relation.first if is_after else relation.then]
            key = ("after" if is_after else "before", relation.words)
            told.setdefault(key, []).append(f"“{_short(other)}”")
    return told


def _short(title: str) -> str:
    return without_relations(title).replace("**", "")[:_LONGEST_NAME]


def _groups(items: Iterable[Item]) -> list[list[Item]]:
    """Return items that stand under the same headings of the same text together."""
    ordered: dict[tuple[str, tuple[str, ...]], list[Item]] = {}
    for item in items:
        ordered.setdefault((item.source, item.path), []).append(item)
    return list(ordered.values())


def _group(items: Sequence[Item]) -> str:
    marked = all(item.number is not None for item in items)
    lines = [_item(item, f"{item.number}." if marked else "-") for item in items]
    return _block(_place(items[0]), lines[:_MOST_ITEMS])


def _block(title: str, lines: Iterable[str]) -> str:
    return "\n".join([*([f"### {title}", ""] if title else []), *lines])


def place(path: tuple[str, ...]) -> str:
    """Return headings as one line, without the document's own title."""
    return " › ".join((path[1:] if len(path) > 1 else path)[-3:])


def _place(item: Item) -> str:
    return place(item.path)


def _named_next(title: str) -> str:
    """Return a heading without the words that an earlier step put before it."""
    for also in ALSO:
        title = title.removeprefix(also)
    return title.strip()


def _item(item: Item, mark: str) -> str:
    below = [f"   {'  ' * depth}- {text}" for depth, text in item.details]
    return "\n".join([_line(item, mark), *below])


def _line(item: Item, mark: str) -> str:
    label = f" ({item.label})" if item.label and item.label not in item.title else ""
    return f"{mark} {_bold(item.title)}{label}"


def _bold(title: str) -> str:
    return title if "**" in title or len(title) > _LONGEST_BOLD else f"**{title}**"
