"""Put items in the order of the text's own labels and numbers, and show them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from services.router.offline.items import UNRANKED, Item
from services.router.offline.markup import Ask
from services.router.offline.pending import Open, all_items, find_open

ALSO = ("Also named as next:", "Auch als Nächstes genannt:")
"""How an earlier step's output heads what is not itself open work."""
_WAITS = re.compile(
    r"\b(?:once|after|until|depends? on|blocked by|waiting (?:for|on)|requires?|as soon as|"
    r"sobald|erst wenn|erst nach|hängt (?:von|ab)|wartet auf|blockiert durch|setzt voraus)\b",
    re.IGNORECASE,
)
_LONGEST_BOLD = 160
_MOST_ITEMS = 200


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
    lines = [_ordered(place, item, say) for place, item in enumerate(in_order(items), start=1)]
    blocks = [_why(items, say), "\n".join(lines[:_MOST_ITEMS])]
    for group in _groups(following):
        told = say["sequence"].format(title=_named_next(_place(group[0])))
        blocks.append("\n".join([told, *(_line(item, "-") for item in in_order(group))]))
    return "\n\n".join(blocks)


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


def in_order(items: Sequence[Item]) -> list[Item]:
    """Return items by rank; of one rank by number if the numbers tell all apart, else as given."""
    ranked: dict[float, list[Item]] = {}
    for item in items:
        ranked.setdefault(UNRANKED if item.rank is None else item.rank, []).append(item)
    return [item for rank in sorted(ranked) for item in _by_number(ranked[rank])]


def _by_number(items: list[Item]) -> list[Item]:
    numbers = [item.number for item in items if item.number is not None]
    if len(set(numbers)) < len(items):
        return items
    return sorted(items, key=lambda item: item.number or 0)


def _why(items: Sequence[Item], say: dict[str, str]) -> str:
    if any(item.rank is not None for item in items):
        return say["order_labels"]
    numbered = any(item.number is not None for item in items)
    return say["order_numbers"] if numbered else say["order_text"]


def _ordered(place: int, item: Item, say: dict[str, str]) -> str:
    """Return one place of the order, with what the item says that it waits for."""
    notes = (
        [item.label or say["no_label"]] if item.label not in item.title or not item.label else []
    )
    if item.number is not None:
        notes.append(f"{say['number']} {item.number}")
    shown = f"{place}. {_bold(item.title)}" + (f" ({', '.join(notes)})" if notes else "")
    waits = [text for _, text in item.details if _WAITS.search(text)]
    return "\n".join([shown, *(f"   - {say['waits']}: “{text}”" for text in waits[:3])])


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
