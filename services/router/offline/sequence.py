"""The order of items: labels, what the text says of before and after, days, numbers, place."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from services.router.offline.dates import Day, due, in_one_calendar
from services.router.offline.items import UNRANKED, Item
from services.router.offline.relations import Relation, find_relations
from services.router.offline.words import tokens

NO_DAY: Day = (9999, 12, 31)
_FIRST = (("first",), ("zuerst",), ("als", "erstes"))
_LAST = (("last",), ("finally",), ("zuletzt",), ("zum", "schluss"))


@dataclass(frozen=True)
class Sorted:
    """Items in order: `places` are their places as given, which the relations and `words` (those
    that give an item's day, or "") count by. `kept` are the relations that were obeyed, `moved`
    those of them that changed the order, `broken` those that contradict the ones before.
    """

    items: tuple[Item, ...]
    places: tuple[int, ...]
    kept: tuple[Relation, ...]
    broken: tuple[Relation, ...]
    words: tuple[str, ...]
    moved: frozenset[Relation]


@dataclass(frozen=True, order=True)
class _Key:
    """What an item is ordered by, the smallest first."""

    rank: float
    turn: int
    day: Day
    number: int
    place: int


def sequence(items: Sequence[Item], told: Iterable[str] = ()) -> Sorted:
    """Return the items in order.

    An item comes after all that the text says it comes after; what others wait for counts as
    urgent as they are. Of relations that go in a circle the last one is not obeyed.
    """
    days = [due(item.title, [text for _, text in item.details]) for item in items]
    keys = _keys(items, [found[0] if found else NO_DAY for found in days])
    kept, broken = _without_circles(find_relations(items, told), len(items))
    places = _placed(_urged(keys, kept), kept)
    return Sorted(
        items=tuple(items[at] for at in places),
        places=tuple(places),
        kept=tuple(kept),
        broken=tuple(broken),
        words=tuple(found[1] if found else "" for found in days),
        moved=frozenset(r for r in kept if keys[r.then] < keys[r.first]),
    )


def in_order(items: Sequence[Item]) -> list[Item]:
    """Return the items in order."""
    return list(sequence(items).items)


def _keys(items: Sequence[Item], days: Sequence[Day]) -> list[_Key]:
    dated = in_one_calendar([day for day in days if day != NO_DAY])
    real = iter(dated)
    numbered = _numbered(items)
    return [
        _Key(
            rank=UNRANKED if item.rank is None else item.rank,
            turn=_turn(item.title),
            day=day if day == NO_DAY else next(real),
            number=(item.number or 0) if item.rank in numbered else 0,
            place=at,
        )
        for at, (item, day) in enumerate(zip(items, days, strict=True))
    ]


def _numbered(items: Sequence[Item]) -> set[float | None]:
    """Return the ranks whose items are all told apart by their numbers."""
    ranked: dict[float | None, list[int | None]] = {}
    for item in items:
        ranked.setdefault(item.rank, []).append(item.number)
    return {
        rank
        for rank, numbers in ranked.items()
        if len(set(numbers)) == len(numbers) and None not in numbers
    }


def _turn(title: str) -> int:
    """Return -1 for "First, …" and "… (first)", 1 for "Finally, …", else 0."""
    head = re.split("[,:]", title, maxsplit=1)[0]
    said = [tuple(tokens(part)) for part in (head, title[title.rfind("(") :]) if part != title]
    if any(words in _FIRST for words in said):
        return -1
    return 1 if any(words in _LAST for words in said) else 0


def _without_circles(
    relations: Sequence[Relation], count: int
) -> tuple[list[Relation], list[Relation]]:
    """Return (relations that go together, those that would close a circle)."""
    later: list[set[int]] = [set() for _ in range(count)]
    kept: list[Relation] = []
    broken: list[Relation] = []
    for relation in relations:
        if relation.first in _reached(later, relation.then):
            broken.append(relation)
        else:
            later[relation.first].add(relation.then)
            kept.append(relation)
    return kept, broken


def _reached(later: Sequence[set[int]], start: int) -> set[int]:
    """Return all that comes after `start`, and itself."""
    seen = {start}
    stack = [start]
    while stack:
        new = later[stack.pop()] - seen
        seen |= new
        stack += new
    return seen


def _urged(keys: Sequence[_Key], kept: Sequence[Relation]) -> list[_Key]:
    """Return the keys, those of items that others wait for as urgent as the others'."""
    found = list(keys)
    before: list[list[int]] = [[] for _ in keys]
    for relation in kept:
        before[relation.then].append(relation.first)
    for then in reversed(_placed(keys, kept)):
        for first in before[then]:
            old, own = found[first], found[then]
            found[first] = replace(old, rank=min(old.rank, own.rank), day=min(old.day, own.day))
    return found


def _placed(keys: Sequence[_Key], kept: Sequence[Relation]) -> list[int]:
    """Return the places in order: always the smallest key of those that wait for nothing more."""
    before = [0] * len(keys)
    after: list[list[int]] = [[] for _ in keys]
    for relation in kept:
        before[relation.then] += 1
        after[relation.first].append(relation.then)
    ready = [(key, at) for at, key in enumerate(keys) if not before[at]]
    heapq.heapify(ready)
    placed: list[int] = []
    while ready:
        _, at = heapq.heappop(ready)
        placed.append(at)
        for then in after[at]:
            before[then] -= 1
            if not before[then]:
                heapq.heappush(ready, (keys[then], then))
    return placed
