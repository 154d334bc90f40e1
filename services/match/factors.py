"""Products of what needs ask and what providers have, for a block of both at a time.

A word that many needs ask for and many providers have costs least in a dense product (BLAS), a
rare one in a sparse one, which looks only where both sides have it. Each word goes the cheaper
way; the sums are the same but for the order in which they are added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from services.match.index import Floats, Index, Ints

COMMON = 1 / 900
"""Share of all pairs that have a word, above which dense is cheaper: that takes about 0.02 ns for
each word and pair, sparse 17 ns for each pair that has it."""
MOST_DENSE = 16_000_000
"""Most numbers of the providers' side of a factor that are laid out in full."""

Asks = Sequence[Mapping[str, float]]


class Rows:
    """A product for some needs; `at` works it out for some providers."""

    def __init__(self, asks: Floats, there: Floats, rare: Floats | None = None) -> None:
        self._asks, self._there, self._rare = asks, there, rare

    def at(self, columns: slice | Ints) -> Floats:
        """Return a fresh matrix, these needs by those providers."""
        found: Floats = self._asks @ self._there[:, columns]
        if self._rare is not None:
            found += self._rare[:, columns]
        return found


class Lines:
    """The sum over a few lines, each of one number a need and one number a provider."""

    def __init__(self, needs: Floats, providers: Floats) -> None:
        """Both have a line each for every line of the sum."""
        self._asks = np.ascontiguousarray(needs.T)
        self._there = providers

    def of(self, rows: Ints) -> Rows:
        """Return the product for these needs."""
        return Rows(self._asks[rows], self._there)


class Words:
    """The sum over shared words of both weights; `scales` multiply needs and providers."""

    def __init__(
        self, asked: Asks, indexes: Sequence[Index], scales: tuple[NDArray[Any], NDArray[Any]]
    ) -> None:
        asks, words = _asked(asked)
        there = _there(words, indexes, len(scales[1]))
        asks.data *= np.repeat(scales[0], np.diff(asks.indptr))
        there.data *= scales[1][there.indices]
        common = _common(asks, there)
        self._asks = asks[:, common].toarray()
        self._there = there[common].toarray()
        rare = np.setdiff1d(np.arange(len(words)), common)
        self._rare = asks[:, rare], there[rare]
        self._room = np.empty((0, 0), np.float32)

    def of(self, rows: Ints) -> Rows:
        """Return the product for these needs, good until the next are asked for.

        What is laid out is laid out in the same place: fresh memory costs more than the sums.
        """
        asks, there = self._rare
        if not there.nnz:
            return Rows(self._asks[rows], self._there)
        if len(rows) > len(self._room):
            self._room = np.empty((len(rows), there.shape[1]), np.float32)
        rare = (asks[rows] @ there).toarray(out=self._room[: len(rows)])
        return Rows(self._asks[rows], self._there, rare)


def _asked(asked: Asks) -> tuple[Any, list[str]]:
    """Return a sparse line for each need, and the words that the columns are."""
    words = {word: n for n, word in enumerate(dict.fromkeys(chain.from_iterable(asked)))}
    starts = np.zeros(len(asked) + 1, np.int32)
    np.cumsum([len(one) for one in asked], out=starts[1:])
    at = np.array([words[word] for word in chain.from_iterable(asked)], np.int32)
    weights = np.array(list(chain.from_iterable(one.values() for one in asked)), np.float32)
    return csr_array((weights, at, starts), shape=(len(asked), len(words))), list(words)


def _there(words: Sequence[str], indexes: Sequence[Index], size: int) -> Any:
    """Return a sparse line for each word, over providers: the sum of all indexes."""
    total = csr_array((len(words), size), dtype=np.float32)
    for index in indexes:
        starts, rows, weights = index.columns(words)
        total = total + csr_array((weights, rows, starts), shape=total.shape)
    return total


def _common(asks: Any, there: Any) -> NDArray[np.int64]:
    """Return the words that a dense product is cheaper for, in order."""
    both = np.bincount(asks.indices, minlength=asks.shape[1]) * np.diff(there.indptr)
    best = np.argsort(-both, kind="stable")[: MOST_DENSE // max(1, there.shape[1])]
    return np.sort(best[both[best] > COMMON * asks.shape[0] * there.shape[1]])
