"""Many needs against the whole pool at once: the same numbers as `scoring`, block by block.

Needs with the same limits come together, and only with providers whom at least one of them allows.
The parts are products of both `sides`, weighted beforehand, so that a block takes few passes; each
is small enough for a cache. Memory depends on the block and on what the caller keeps, never on
needs times providers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.match import parts
from services.match.asked import Asked
from services.match.gate import Gate
from services.match.index import Floats, Ints
from services.match.parts import PROVIDER
from services.match.pool import Bools, Pool
from services.match.scoring import LEAST, THIN, harmonic
from services.match.sides import Sides

ROWS = (16, 128)
"""Fewest and most needs of a block."""
WIDE = 2_000_000
"""Pairs of a block, where that gives so many needs."""
TILE = 32_000
"""Pairs that are worked out together: a megabyte a part."""
SURE = 65_535
"""A confidence of 1 in a block."""
MOST = 0.75
"""Share of the providers from which on a block takes them all: to pick them costs as much."""


@dataclass(frozen=True)
class Block:
    """Scores of some needs with some providers, as matrices; no other block has these needs.

    `columns` are providers in ascending order. `client` is 0 where a pair may not be made.
    `confidence` is in parts of `SURE`: it is only told, and the scores are what is kept in memory.
    """

    rows: Ints
    columns: Ints
    client: Floats
    provider: Floats
    confidence: NDArray[np.uint16]

    def total(self) -> Floats:
        """Return the totals, worked out anew; 0 where a pair may not be made."""
        both = self.client + self.provider
        total = self.client * self.provider
        total *= 2
        total /= np.maximum(both, LEAST, out=both)
        return total

    def parts(self) -> Iterator[Block]:
        """Yield the same pairs, a few needs at a time: what is made of them then fits a cache."""
        step = max(1, TILE // len(self.columns))
        for first in range(0, len(self.rows), step):
            own = slice(first, first + step)
            views = (self.client[own], self.provider[own], self.confidence[own])
            yield Block(self.rows[own], self.columns, *views)


def scored(
    asks: Sequence[Asked], pool: Pool, unwanted: Sequence[set[str]], floor: float
) -> Iterator[Block]:
    """Yield all pairs that are allowed and whose total is at least `floor`, block by block."""
    gate, sides = Gate(pool), Sides(asks, pool)
    order = sorted(range(len(asks)), key=lambda n: (_limits(asks[n]), n))
    step = min(max(WIDE // max(1, len(pool)), ROWS[0]), ROWS[1])
    for first in range(0, len(order), step):
        rows = np.array(order[first : first + step], np.int32)
        allowed = np.array([gate.allowed(asks[row], unwanted[row]) for row in rows], np.bool_)
        if allowed.any():
            yield _block(sides, rows, allowed, floor)


def _limits(ask: Asked) -> tuple[object, ...]:
    """Return what needs are sorted by: those with the same limits come together."""
    return ask.required, [(rule.field, rule.op, str(rule.value)) for rule in ask.hard]


def _block(sides: Sides, rows: Ints, allowed: Bools, floor: float) -> Block:
    """Work out a block, tile by tile."""
    size = allowed.shape[1]
    columns = np.flatnonzero(allowed.any(axis=0)).astype(np.int32)
    if len(columns) > MOST * size:
        columns = np.arange(size, dtype=np.int32)
    shape = (len(rows), len(columns))
    client, provider = np.empty(shape, np.float32), np.empty(shape, np.float32)
    found = Block(rows, columns, client, provider, np.empty(shape, np.uint16))
    tiles, step = _Tiles(sides, rows), max(1, TILE // len(rows))
    for first in range(0, len(columns), step):
        own = slice(first, first + step)
        at = own if len(columns) == size else columns[own]
        views = tiles.views(at)
        provider[:, own], found.confidence[:, own] = views[1:]
        if floor > 0:
            views[0][harmonic(views[0], views[1]) < floor] = 0.0
        np.multiply(views[0], allowed[:, at], out=client[:, own])
    return found


class _Tiles:
    """Some needs, scored with some providers at a time.

    Each pass over a tile costs about as much as a product with twenty lines, so parts are added
    up in place.
    """

    def __init__(self, sides: Sides, rows: Ints) -> None:
        self._asks = [sides.asks[row] for row in rows]
        self._pool = sides.pool
        self._weights = {name: found[rows, None] for name, found in sides.weights.items()}
        words = ("skills", "levels", "levelled", "sectors", "languages")
        lines = ("rate", "budget", "client", "provider", "client_known", "provider_known")
        self._rows = {name: getattr(sides, name).of(rows) for name in (*words, *lines)}
        self._texts = [words.of(rows) for words in sides.texts]
        self._wishes = [(n, ask) for n, ask in enumerate(self._asks) if ask.wishes]

    def views(self, at: slice | Ints) -> tuple[Floats, Floats, Floats]:
        """Return the client's view, the provider's, and the confidence times `SURE`."""
        skills = self._rows["skills"].at(at)
        sectors = self._rows["sectors"].at(at)
        np.minimum(sectors, 1, out=sectors)
        total, known = self._client(skills, sectors, at)
        client, known_client = _mean(total, known)
        skills *= np.float32(PROVIDER["work"])
        sectors *= np.float32(PROVIDER["sectors"])
        skills += sectors
        skills += self._rows["provider"].at(at)
        budget = self._rows["budget"].at(at)
        skills += np.clip(budget, 0, np.float32(PROVIDER["budget"]), out=budget)
        provider, known_provider = _mean(skills, self._rows["provider_known"].at(at))
        known_client += known_provider
        known_client *= np.float32(SURE / 2)
        return client, provider, known_client

    def _client(self, skills: Floats, sectors: Floats, at: slice | Ints) -> tuple[Floats, Floats]:
        """Return the sum of the client's parts by weight, and the weight that is known."""
        total, known = self._rows["client"].at(at), self._rows["client_known"].at(at)
        total += skills * self._weights["skills"]
        total += sectors * self._weights["sectors"]
        total += self._rows["languages"].at(at)
        rate = self._rows["rate"].at(at)
        total += np.clip(rate, 0, self._weights["rate"], out=rate)
        if self._texts:
            text = parts.three_best(words.at(at) for words in self._texts)
            total += np.minimum(text, self._weights["text"])
        self._add_levels(total, known, at)
        self._add_wishes(total, known, at)
        return total, known

    def _add_levels(self, total: Floats, known: Floats, at: slice | Ints) -> None:
        """Add the mean level of those skills whose level is known."""
        levels, count = self._rows["levels"].at(at), self._rows["levelled"].at(at)
        levels /= np.maximum(count, 1)
        levels *= self._weights["level"]
        total += levels
        np.minimum(count, 1, out=count)
        count *= self._weights["level"]
        known += count

    def _add_wishes(self, total: Floats, known: Floats, at: slice | Ints) -> None:
        """Soft constraints are rare, and worked out need by need."""
        for n, ask in self._wishes:
            value = parts.wishes(ask, self._pool)[at]
            weight = self._weights["wishes"][n]
            total[n] += np.nan_to_num(value) * weight
            known[n] += ~np.isnan(value) * weight


def _mean(total: Floats, known: Floats) -> tuple[Floats, Floats]:
    """Return the mean of the known parts and their weight, in place; as `scoring.view`."""
    least = known.min(initial=1)
    total /= np.maximum(known, LEAST) if least <= 0 else known
    np.minimum(total, 1, out=total)
    if least * THIN < 1:
        total *= np.minimum(np.float32(THIN) * known, 1)
    return total, np.minimum(known, 1, out=known)
