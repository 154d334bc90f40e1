"""All providers as columns of numbers, so that a need is scored against everyone at once.

A provider that changes gets a new row, and its old one is out of the market: one change costs one
profile, however many others there are. When too many rows are out, all are renumbered.

`numpy` is imported here, and this module only when somebody asks for a score: an idle service
stays small.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from services.match.index import Floats, Index, Ints
from services.match.skills import IMPLIED, canonical, implied, language
from services.match.words import terms

Bools = NDArray[np.bool_]

ITEMS = 8
"""Most texts of one provider that are compared with a need; the longest ones."""
LEAST_OUT = 1000
"""Rows out of the market that are kept before all are renumbered; at most an eighth of all."""

_BREAK = re.compile(r"\n\s*\n|\n[-*•]")
NUMBERS = (
    "live", "rate", "min_budget", "available", "active", "capacity", "load", "yes", "asked",
    "skills", "sectors", "languages", "timezone", "items",
)  # fmt: skip
CODES = ("currency", "min_currency")


class Pool:
    """Providers in columns. NaN is unknown; `texts` has one index for each place of a text.

    `skills` weighs 1, or `IMPLIED` for what another skill brings along; `levels` holds known
    levels only. Of the columns, `live` is 1 for rows in the market and 0 for those that are out;
    `available` is 1, 0 or NaN; `skills`, `sectors`, `languages`, `timezone` are 1 where the
    provider names any, else NaN. Money is in minor units of `currency`, a number from `code`.
    """

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.rows: dict[str, int] = {}
        self.skills, self.levels, self.sectors, self.languages, self.timezones = (
            Index() for _ in range(5)
        )
        self.texts = tuple(Index() for _ in range(ITEMS))
        self.columns: dict[str, Floats] = {}
        self.codes: dict[str, Ints] = {}
        self._kept: dict[str, Any] = {}
        self._widen(64)
        self._look()

    def __len__(self) -> int:
        """How many rows, those out of the market too."""
        return len(self.ids)

    @property
    def live(self) -> int:
        """How many providers are in the market."""
        return len(self.rows)

    def put(self, body: Mapping[str, Any], load: int = 0, heard: tuple[int, int] = (0, 0)) -> None:
        """Take one profile's JSON; a newcomer's running deals, and (yes, asked) by clients."""
        before = self.rows.get(body["party_id"])
        row = self._row(body["party_id"])
        self._add_skills(row, body["skills"])
        self._add_names(row, body)
        items = _items(body)
        for index, item in zip(self.texts, items, strict=False):
            for word, weight in terms(item).items():
                index.add(word, row, weight)
        for name, number in _numbers(body, len(items)).items():
            self.columns[name][row] = number
        self._remember(row, before, (load, *heard))
        self.codes["currency"][row] = _code_of(body.get("rate"))
        self.codes["min_currency"][row] = _code_of(body.get("min_budget"))
        if len(self) - self.live > max(LEAST_OUT, len(self) // 8):
            self._renumber()

    def note(self, party: str, name: str, number: float) -> None:
        """Set a number of a provider; who has no profile is passed over."""
        row = self.rows.get(party)
        if row is not None:
            self.columns[name][row] = number

    def _row(self, party: str) -> int:
        """Return a new row for the party, and take its old one out of the market."""
        before = self.rows.get(party)
        if before is not None:
            self.columns["live"][before] = 0
        row = len(self.ids)
        self.ids.append(party)
        self.rows[party] = row
        if row >= len(self._kept["live"]):
            self._widen(2 * row)
        self._look()
        return row

    def _remember(self, row: int, before: int | None, history: tuple[int, int, int]) -> None:
        for name, number in zip(("load", "yes", "asked"), history, strict=True):
            column = self.columns[name]
            column[row] = number if before is None else column[before]

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
            self.skills.add(name, row, weight)
        for name, level in levels.items():
            self.levels.add(name, row, level)

    def _add_names(self, row: int, body: Mapping[str, Any]) -> None:
        for name in {canonical(name) for name in body["sectors"]}:
            self.sectors.add(name, row, 1.0)
        for name in {language(name) for name in body["languages"]}:
            self.languages.add(name, row, 1.0)
        if body.get("timezone"):
            self.timezones.add(body["timezone"], row, 1.0)

    def _widen(self, room: int) -> None:
        """Make room for so many rows."""
        for names, kind in ((NUMBERS, np.float32), (CODES, np.int32)):
            for name in names:
                wide = np.zeros(room, kind)
                wide[: len(self.ids) - 1] = self._kept.get(name, wide)[: len(self.ids) - 1]
                self._kept[name] = wide

    def _look(self) -> None:
        """Let the columns end where the rows do."""
        size = len(self.ids)
        self.columns = {name: self._kept[name][:size] for name in NUMBERS}
        self.codes = {name: self._kept[name][:size] for name in CODES}

    def _renumber(self) -> None:
        """Drop the rows that are out of the market; the others keep their order."""
        kept = self.columns["live"] > 0
        places = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
        indexes = (self.skills, self.levels, self.sectors, self.languages, self.timezones)
        for index in (*indexes, *self.texts):
            index.renumber(places)
        for name in (*NUMBERS, *CODES):
            left = self._kept[name][: len(self.ids)][kept]
            self._kept[name][: len(left)] = left
        self.ids = [party for party, stays in zip(self.ids, kept, strict=True) if stays]
        self.rows = {party: row for row, party in enumerate(self.ids)}
        self._look()


def code(currency: str) -> int:
    """Return a number for a currency code: its letters in base 27; 0 for none."""
    number = 0
    for letter in currency[:3]:
        number = number * 27 + ord(letter) - 64
    return number


def _code_of(amount: Mapping[str, Any] | None) -> int:
    return code(amount["currency"]) if amount else 0


def _numbers(body: Mapping[str, Any], items: int) -> dict[str, float]:
    rate, least, available = body.get("rate"), body.get("min_budget"), body.get("available")
    return {
        "live": 1.0,
        "rate": float(rate["minor"]) if rate else np.nan,
        "min_budget": float(least["minor"]) if least else np.nan,
        "available": np.nan if available is None else float(available),
        "active": float(body.get("active", True)),
        "capacity": float(body["capacity"]),
        "skills": 1.0 if body["skills"] else np.nan,
        "sectors": 1.0 if body["sectors"] else np.nan,
        "languages": 1.0 if body["languages"] else np.nan,
        "timezone": 1.0 if body.get("timezone") else np.nan,
        "items": float(items),
    }


def _items(body: Mapping[str, Any]) -> list[str]:
    """Return the texts that tell what a provider did, the longest first, at most `ITEMS`."""
    given = [*body.get("items", ()), *_BREAK.split(body.get("bio", ""))]
    given += [skill.get("evidence", "") for skill in body["skills"]]
    return sorted((text.strip() for text in given if text.strip()), key=len, reverse=True)[:ITEMS]


def gather(
    bodies: Iterable[bytes],
    loads: Mapping[str, int],
    heard: Mapping[str, tuple[int, int]],
) -> Pool:
    """Return the pool of stored profiles with their present load and history."""
    pool = Pool()
    for raw in bodies:
        body = orjson.loads(raw)
        party = body["party_id"]
        pool.put(body, loads.get(party, 0), heard.get(party, (0, 0)))
    return pool
