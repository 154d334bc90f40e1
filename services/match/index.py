"""Who has a word: rows and weights by word, growing in place.

Plain arrays hold them, since a new row is then an append and not a copy; numpy looks at the same
memory while a need is scored, and lets go of it at once: what is looked at cannot grow.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

NOWHERE: tuple[Ints, Floats] = (np.zeros(0, np.int32), np.zeros(0, np.float32))


class Index:
    """Words, each with the rows that have it and a weight for each of them; in no order."""

    def __init__(self) -> None:
        self._rows: dict[str, array[int]] = {}
        self._weights: dict[str, array[float]] = {}

    def __contains__(self, word: str) -> bool:
        """Tell whether any row has the word."""
        return word in self._rows

    def __len__(self) -> int:
        """How many words."""
        return len(self._rows)

    def add(self, word: str, row: int, weight: float) -> None:
        """Note that `row` has `word`."""
        rows = self._rows.get(word)
        if rows is None:
            rows = self._rows[word] = array("i")
            self._weights[word] = array("f")
        rows.append(row)
        self._weights[word].append(weight)

    def of(self, word: str) -> tuple[Ints, Floats]:
        """Return rows and weights of a word, for now: do not keep them."""
        rows = self._rows.get(word)
        if not rows:
            return NOWHERE
        return np.frombuffer(rows, np.int32), np.frombuffer(self._weights[word], np.float32)

    def columns(self, words: Iterable[str]) -> tuple[NDArray[np.int64], Ints, Floats]:
        """Return the parts of a sparse matrix (CSR) with one line a word: starts, rows, weights."""
        found = [self.of(word) for word in words]
        starts = np.zeros(len(found) + 1, np.int64)
        np.cumsum([len(rows) for rows, _ in found], out=starts[1:])
        rows = np.concatenate([rows for rows, _ in found] or [NOWHERE[0]])
        return starts, rows, np.concatenate([weights for _, weights in found] or [NOWHERE[1]])

    def plain(self) -> Index:
        """Return the same words and rows, each with the weight 1; for now, as `of`."""
        other = Index()
        other._rows = self._rows
        other._weights = {word: array("f", [1.0]) * len(rows) for word, rows in self._rows.items()}
        return other

    def renumber(self, places: Ints) -> None:
        """Give each row its new place; those below 0 are dropped, and words that nobody has."""
        for word in list(self._rows):
            rows, weights = self.of(word)
            new = places[rows]
            kept = new >= 0
            if kept.any():
                self._rows[word] = array("i", new[kept].tobytes())
                self._weights[word] = array("f", weights[kept].tobytes())
            else:
                del self._rows[word], self._weights[word]
