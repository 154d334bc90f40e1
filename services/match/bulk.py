"""Many needs against the whole pool at once: the same numbers as `scoring`, only for allowed pairs.

Needs come in chunks. Who is allowed is found first, since hard limits rule most pairs out; words
are then multiplied as sparse matrices, and the parts worked out for the allowed pairs alone. So
memory depends on the chunk and on what the caller keeps, never on needs times providers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from services.match import constraints, parts
from services.match.asked import Asked
from services.match.constraints import TOO_DEAR
from services.match.index import Floats, Index, Ints
from services.match.parts import CLIENT, NICE, PRIOR, PROVIDER, SHARED, limited
from services.match.pool import Bools, Pool, code
from services.match.scoring import harmonic, view
from shared.events import Constraint

CELLS = 640_000
"""Pairs that are looked at together: a few megabytes a part, which a cache holds."""


DEARER = 3
"""What a step from provider to word costs, beside one of a sparse product."""
MOST_DENSE = 8_000_000
"""Most cells of the words of a chunk that are laid out in full."""


@dataclass(frozen=True)
class Scored:
    """Allowed pairs, by need and then provider; all arrays have one value a pair."""

    rows: Ints
    columns: Ints
    total: Floats
    client: Floats
    provider: Floats
    confidence: Floats


def scored(
    asks: Sequence[Asked], pool: Pool, unwanted: Sequence[set[str]], floor: float
) -> Iterator[Scored]:
    """Yield the allowed pairs whose total is at least `floor`, chunk by chunk of needs."""
    step = max(1, CELLS // max(1, len(pool)))
    gate, texts = _Gate(pool), _Texts(asks, pool)
    for first in range(0, len(asks), step):
        chunk = asks[first : first + step]
        allowed = np.array(
            [gate.allowed(a, unwanted[first + n]) for n, a in enumerate(chunk)], np.bool_
        )
        at, to = (axis.astype(np.int32) for axis in np.nonzero(allowed))
        where = (slice(first, first + len(chunk)), at, to)
        found = _score(_Pairs(chunk, pool, texts, where))
        kept = (found.total >= floor) & (found.total > 0)
        columns = {name: getattr(found, name)[kept] for name in Scored.__dataclass_fields__}
        columns["rows"] = columns["rows"] + np.int32(first)
        yield Scored(**columns)


class _Gate:
    """Tells who is allowed for a need; a limit that many needs share is looked at once."""

    def __init__(self, pool: Pool) -> None:
        columns = pool.columns
        self._pool = pool
        self._there = (
            (columns["live"] > 0)
            & (columns["active"] != 0)
            & (columns["available"] != 0)
            & (columns["load"] < columns["capacity"])
        )
        self._seen: dict[tuple[object, ...], Bools] = {}

    def allowed(self, ask: Asked, unwanted: set[str]) -> Bools:
        """Return the providers whom no hard limit rules out."""
        pool, free = self._pool, self._there.copy()
        free[[pool.rows[party] for party in unwanted if party in pool.rows]] = False
        for name in ask.required:
            free &= self._kept("skill", "has", name, ask)
        for rule in ask.hard:
            free &= self._kept(rule.field, rule.op, rule.value, ask)
        if ask.need.budget is not None:
            same = pool.codes["currency"] == code(ask.currency)
            free &= ~(same & (pool.columns["rate"] > np.float32(TOO_DEAR * (ask.limit or 0.0))))
            same = pool.codes["min_currency"] == code(ask.currency)
            free &= ~(same & (pool.columns["min_budget"] > ask.need.budget.minor))
        there: Bools = free
        return there

    def _kept(self, field: str, op: str, value: str | int, ask: Asked) -> Bools:
        key = (field, op, value, ask.currency if field == "rate" else "")
        if key not in self._seen:
            rule = Constraint.model_validate({"field": field, "op": op, "value": value})
            self._seen[key] = ~constraints.check(rule, ask, self._pool).broken
        return self._seen[key]


class _Lines:
    """What needs ask for, a sparse matrix with one line a need; `words` names its columns."""

    def __init__(self, asked: Sequence[Mapping[str, float]]) -> None:
        self.words = {word: n for n, word in enumerate(dict.fromkeys(chain.from_iterable(asked)))}
        starts = np.zeros(len(asked) + 1, np.int64)
        np.cumsum([len(words) for words in asked], out=starts[1:])
        at = np.array([self.words[word] for word in chain.from_iterable(asked)], np.int32)
        every = chain.from_iterable(words.values() for words in asked)
        weights = np.array(list(every), np.float32)
        self.lines = csr_array((weights, at, starts), shape=(len(asked), len(self.words)))


class _Words:
    """Words of needs against those of providers, for one index; made once for all chunks."""

    def __init__(self, asked: _Lines, index: Index, size: int) -> None:
        starts, rows, weights = index.columns(asked.words)
        self._asks = asked.lines
        self._there = csr_array((weights, rows, starts), shape=(len(asked.words), size))
        self._back = self._there.T.tocsr()
        self._crossed = self._asks.astype(np.bool_) @ np.diff(starts).astype(np.int64)

    def product(self, chunk: slice, rows: Ints, columns: Ints) -> Floats:
        """Return the sum over shared words of both weights for each pair: the cheaper way."""
        if not self._there.nnz:
            return np.zeros(len(rows), np.float32)
        lengths = np.diff(self._back.indptr)[columns]
        cells = (chunk.stop - chunk.start) * self._there.shape[1]
        small = (chunk.stop - chunk.start) * self._asks.shape[1] <= MOST_DENSE
        if small and DEARER * lengths.sum() < self._crossed[chunk].sum() + cells // 8:
            return self._by_pair(self._asks[chunk].toarray(), rows, columns, lengths)
        found: Floats = (self._asks[chunk] @ self._there).toarray()
        return found[rows, columns]

    def _by_pair(
        self, asks: Floats, rows: Ints, columns: Ints, lengths: NDArray[np.int32]
    ) -> Floats:
        """Walk through each provider's words, pair by pair."""
        ends = np.cumsum(lengths, dtype=np.int32)
        pairs = np.repeat(np.arange(len(rows), dtype=np.int32), lengths)
        at = (self._back.indptr[columns] - ends + lengths)[pairs]
        at += np.arange(ends[-1], dtype=np.int32)
        cells = (rows * np.int32(asks.shape[1]))[pairs] + self._back.indices[at]
        shared = asks.ravel()[cells] * self._back.data[at]
        summed: Floats = np.bincount(pairs, shared, len(rows)).astype(np.float32)
        return summed


class _Texts:
    """What is multiplied, made ready for all needs."""

    def __init__(self, asks: Sequence[Asked], pool: Pool) -> None:
        size = len(pool)
        wanted = _Lines([_each((*ask.required, *ask.nice)) for ask in asks])
        words = _Lines([ask.words for ask in asks])
        self.skills = _Words(_Lines([_skill_words(ask) for ask in asks]), pool.skills, size)
        self.levels = _Words(wanted, pool.levels, size)
        self.levelled = _Words(wanted, pool.levels.plain(), size)
        self.sectors = _Words(_Lines([_each(ask.sectors) for ask in asks]), pool.sectors, size)
        tongues = _Lines([_each(ask.languages) for ask in asks])
        self.languages = _Words(tongues, pool.languages, size)
        self.texts = [_Words(words, index, size) for index in pool.texts if len(index)]


class _Pairs:
    """The allowed pairs of one chunk, and what their parts are worked out from."""

    def __init__(
        self, asks: Sequence[Asked], pool: Pool, texts: _Texts, at: tuple[slice, Ints, Ints]
    ) -> None:
        self.asks = asks
        self.pool = pool
        self.texts = texts
        self.chunk, self.rows, self.columns = at

    def column(self, name: str) -> Floats:
        """Return a number of the providers."""
        return self.pool.columns[name][self.columns]

    def row(self, values: Iterable[float]) -> Floats:
        """Return a number of the needs."""
        return np.array(list(values), np.float32)[self.rows]

    def product(self, words: _Words) -> Floats:
        """Return the sum over shared words of both weights."""
        return words.product(self.chunk, self.rows, self.columns)


def _score(pairs: _Pairs) -> Scored:
    client_parts = _client_parts(pairs)
    provider_parts = {
        "budget": limited(np.float32(2.0) / np.maximum(_ratio(pairs), np.float32(1e-9)) - 1),
        "load": _load(pairs),
        "history": pairs.row(_heard(ask) for ask in pairs.asks),
    }
    provider_parts |= {name: client_parts[same] for name, same in SHARED.items()}
    client, known_client = view(client_parts, _weights(pairs))
    provider, known_provider = view(provider_parts, PROVIDER)
    confidence = (known_client + known_provider) / np.float32(2.0)
    total = harmonic(client, provider)
    return Scored(pairs.rows, pairs.columns, total, client, provider, confidence)


def _client_parts(pairs: _Pairs) -> dict[str, Floats]:
    weights = [_skill_words(ask) for ask in pairs.asks]
    whole = pairs.row(sum(found.values()) or np.nan for found in weights)
    skills = pairs.product(pairs.texts.skills) / whole * pairs.column("skills")
    return {
        "skills": skills,
        "level": _level(pairs),
        "text": _text(pairs),
        "rate": limited((np.float32(TOO_DEAR) - _ratio(pairs)) / np.float32(TOO_DEAR - 1.0)),
        "sectors": _sectors(pairs),
        "languages": _languages(pairs),
        "available": pairs.column("available"),
        "history": _history(pairs),
        "wishes": _wishes(pairs),
    }


def _weights(pairs: _Pairs) -> dict[str, Floats]:
    """Return the client's weights of each pair."""
    every = [parts.client_weights(ask) for ask in pairs.asks]
    return {name: pairs.row(weights.get(name, 0.0) for weights in every) for name in CLIENT}


def _skill_words(ask: Asked) -> dict[str, float]:
    return dict.fromkeys(ask.nice, NICE) | dict.fromkeys(ask.required, 1.0)


def _each(names: Iterable[str]) -> dict[str, float]:
    return dict.fromkeys(names, 1.0)


def _level(pairs: _Pairs) -> Floats:
    total, known = pairs.product(pairs.texts.levels), pairs.product(pairs.texts.levelled)
    value: Floats = np.divide(total, known, out=np.full_like(total, np.nan), where=known > 0)
    return value


def _text(pairs: _Pairs) -> Floats:
    items = pairs.column("items")
    best = parts.three_best(pairs.product(words) for words in pairs.texts.texts)
    mean = np.divide(best, np.minimum(items, 3), out=np.full_like(items, np.nan), where=items > 0)
    known = pairs.row(1.0 if ask.words else np.nan for ask in pairs.asks)
    value: Floats = limited(mean / np.float32(parts.ALIKE)) * known
    return value


def _sectors(pairs: _Pairs) -> Floats:
    shared = pairs.product(pairs.texts.sectors) > 0
    known = pairs.row(1.0 if ask.sectors else np.nan for ask in pairs.asks)
    value: Floats = shared.astype(np.float32) * known * pairs.column("sectors")
    return value


def _languages(pairs: _Pairs) -> Floats:
    wanted = pairs.row(len(ask.languages) or np.nan for ask in pairs.asks)
    shared = np.minimum(pairs.product(pairs.texts.languages) / wanted, np.float32(1.0))
    value: Floats = shared * pairs.column("languages")
    return value


def _ratio(pairs: _Pairs) -> Floats:
    limit = pairs.row(ask.limit if ask.limit else np.nan for ask in pairs.asks)
    codes = np.array([code(ask.currency) for ask in pairs.asks], np.int32)[pairs.rows]
    ratio: Floats = pairs.column("rate") / limit
    ratio[pairs.pool.codes["currency"][pairs.columns] != codes] = np.nan
    return ratio


def _history(pairs: _Pairs) -> Floats:
    yes, times = pairs.column("yes"), pairs.column("asked")
    value = (np.float32(PRIOR[0]) + yes) / (np.float32(sum(PRIOR)) + times)
    value[times == 0] = np.nan
    return value


def _load(pairs: _Pairs) -> Floats:
    capacity = np.maximum(pairs.column("capacity"), np.float32(1.0))
    return limited(1 - pairs.column("load") / capacity)


def _heard(ask: Asked) -> float:
    yes, times = ask.heard
    return (PRIOR[0] + yes) / (sum(PRIOR) + times) if times else np.nan


def _wishes(pairs: _Pairs) -> Floats:
    """Soft constraints are rare, and worked out need by need."""
    value = np.full(len(pairs.rows), np.nan, np.float32)
    starts: NDArray[np.int64] = np.searchsorted(pairs.rows, np.arange(len(pairs.asks) + 1))
    for n, ask in enumerate(pairs.asks):
        if ask.wishes:
            own = slice(starts[n], starts[n + 1])
            value[own] = parts.wishes(ask, pairs.pool)[pairs.columns[own]]
    return value
