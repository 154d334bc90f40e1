"""All providers as columns of numbers, so that a need is scored against everyone at once.

`numpy` is imported here, and this module only when somebody asks for a score: an idle service
stays small.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from services.match.skills import IMPLIED, canonical, implied, language
from services.match.words import terms

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]

ITEMS = 8
"""Most texts of one provider that are compared with a need; the longest ones."""

_BREAK = re.compile(r"\n\s*\n|\n[-*•]")


@dataclass
class Index:
    """Who has a word: rows and a weight for each of them."""

    rows: dict[str, Ints] = field(default_factory=dict)
    weights: dict[str, Floats] = field(default_factory=dict)

    @staticmethod
    def of(found: dict[str, tuple[list[int], list[float]]]) -> Index:
        """Return the index of lists gathered by word."""
        return Index(
            {word: np.array(rows, np.int32) for word, (rows, _) in found.items()},
            {word: np.array(weights, np.float32) for word, (_, weights) in found.items()},
        )


@dataclass
class Pool:
    """Providers in columns. NaN is unknown; row `place * len(pool) + provider` of `text` is one
    text of a provider.

    `skills` weighs 1, or `IMPLIED` for what another skill brings along; `levels` holds known
    levels only. `available` is 1, 0 or NaN; `skills`, `sectors`, `languages` are 1 where the
    provider names any, else NaN. Money is in minor units of `currency`, a number from `code`.
    """

    ids: list[str]
    skills: Index
    levels: Index
    sectors: Index
    languages: Index
    text: Index
    columns: dict[str, Floats]
    currency: Ints
    min_currency: Ints
    timezone: NDArray[np.str_]

    def __len__(self) -> int:
        """How many providers."""
        return len(self.ids)


class Gatherer:
    """Collects profiles into lists, then into a pool."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        names = ("skills", "levels", "sectors", "languages", "text")
        self._words: dict[str, dict[str, tuple[list[int], list[float]]]] = {n: {} for n in names}
        self._columns: dict[str, list[float]] = {}
        self._texts: dict[str, list[str]] = {"currency": [], "min_currency": [], "timezone": []}

    def add(self, body: Mapping[str, Any], load: int, heard: tuple[int, int]) -> None:
        """Take one profile's JSON, its running deals, and (yes, asked) that clients said."""
        row = len(self._ids)
        self._ids.append(body["party_id"])
        self._add_skills(row, body["skills"])
        self._add_names(row, body)
        self._add_items(row, _items(body))
        self._add_numbers(body, load, heard)

    def pool(self) -> Pool:
        """Return the columns."""
        index = {name: Index.of(found) for name, found in self._words.items()}
        codes = {
            name: np.array([code(value) for value in self._texts[name]], np.int32)
            for name in ("currency", "min_currency")
        }
        return Pool(
            self._ids, index["skills"], index["levels"], index["sectors"], index["languages"],
            _by_place(index["text"], len(self._ids)),
            {name: np.array(values, np.float32) for name, values in self._columns.items()},
            codes["currency"], codes["min_currency"], np.array(self._texts["timezone"], np.str_),
        )  # fmt: skip

    def _add_skills(self, row: int, skills: Iterable[Mapping[str, Any]]) -> None:
        best: dict[str, float] = {}
        levels: dict[str, float] = {}
        for skill in skills:
            name = canonical(skill["name"])
            best[name] = 1.0
            if skill.get("level") is not None:
                levels[name] = max(levels.get(name, 0.0), float(skill["level"]))
            for other in implied(name):
                best.setdefault(other, IMPLIED)
        for name, weight in best.items():
            self._note("skills", name, row, weight)
        for name, level in levels.items():
            self._note("levels", name, row, level)

    def _add_names(self, row: int, body: Mapping[str, Any]) -> None:
        for kind, one in (("sectors", canonical), ("languages", language)):
            for name in {one(name) for name in body[kind]}:
                self._note(kind, name, row, 1.0)

    def _add_items(self, row: int, items: list[str]) -> None:
        for place, item in enumerate(items):
            for word, weight in terms(item).items():
                self._note("text", word, row * ITEMS + place, weight)

    def _note(self, kind: str, word: str, row: int, weight: float) -> None:
        rows, weights = self._words[kind].setdefault(word, ([], []))
        rows.append(row)
        weights.append(weight)

    def _add_numbers(self, body: Mapping[str, Any], load: int, heard: tuple[int, int]) -> None:
        rate, least = body.get("rate"), body.get("min_budget")
        available = body.get("available")
        numbers: dict[str, float] = {
            "rate": float(rate["minor"]) if rate else np.nan,
            "min_budget": float(least["minor"]) if least else np.nan,
            "available": np.nan if available is None else float(available),
            "active": float(body.get("active", True)),
            "capacity": float(body["capacity"]),
            "load": float(load),
            "yes": float(heard[0]),
            "asked": float(heard[1]),
            "skills": 1.0 if body["skills"] else np.nan,
            "sectors": 1.0 if body["sectors"] else np.nan,
            "languages": 1.0 if body["languages"] else np.nan,
            "items": float(len(_items(body))),
        }
        for name, number in numbers.items():
            self._columns.setdefault(name, []).append(number)
        self._texts["currency"].append(rate["currency"] if rate else "")
        self._texts["min_currency"].append(least["currency"] if least else "")
        self._texts["timezone"].append(body.get("timezone") or "")


def code(currency: str) -> int:
    """Return a number for a currency code: its letters in base 27; 0 for none."""
    number = 0
    for letter in currency[:3]:
        number = number * 27 + ord(letter) - 64
    return number


def _by_place(index: Index, size: int) -> Index:
    """Return the index of texts with all first texts before all second ones, and so on."""
    rows = {word: row % ITEMS * size + row // ITEMS for word, row in index.rows.items()}
    return Index(rows, index.weights)


def _items(body: Mapping[str, Any]) -> list[str]:
    """Return the texts that tell what a provider did, the longest first, at most `ITEMS`."""
    given = [*body.get("items", ()), *_BREAK.split(body.get("bio", ""))]
    given += [skill.get("evidence", "") for skill in body["skills"]]
    return sorted((text.strip() for text in given if text.strip()), key=len, reverse=True)[:ITEMS]


def gather(
    bodies: Iterable[bytes], loads: Mapping[str, int], heard: Mapping[str, tuple[int, int]]
) -> Pool:
    """Return the pool of stored profiles with their present load and history."""
    gatherer = Gatherer()
    for raw in bodies:
        body = orjson.loads(raw)
        party = body["party_id"]
        gatherer.add(body, loads.get(party, 0), heard.get(party, (0, 0)))
    return gatherer.pool()


def refreshed(pool: Pool, loads: Mapping[str, int], heard: Mapping[str, tuple[int, int]]) -> Pool:
    """Return the same providers, in the order of their ids, with today's load and history."""
    columns = dict(pool.columns)
    for name in ("load", "yes", "asked"):
        columns[name] = np.zeros(len(pool), np.float32)
    rows = {party: _row(pool.ids, party) for party in (*loads, *heard)}
    for party, load in loads.items():
        columns["load"][rows[party]] = load
    for party, (yes, asked) in heard.items():
        columns["yes"][rows[party]] = yes
        columns["asked"][rows[party]] = asked
    return replace(pool, columns=columns)


def _row(ids: list[str], party: str) -> slice:
    """Return where a party stands in sorted ids: one row, or none for who has no profile."""
    row = bisect_left(ids, party)
    return slice(row, row + (row < len(ids) and ids[row] == party))
