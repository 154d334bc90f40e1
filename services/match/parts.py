"""The parts of both views, each 0..1 over the whole pool; NaN where it is not known.

Weights are set by hand after the field's findings (outcomes tell more than texts, text alone
misleads); they are shown with every score. Parts of a view sum to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.match.asked import Asked
from services.match.constraints import TOO_DEAR, check
from services.match.index import Floats, Index
from services.match.pool import Pool, code

CLIENT = {
    "skills": 0.25, "level": 0.05, "text": 0.12, "rate": 0.15, "sectors": 0.07,
    "languages": 0.05, "available": 0.04, "history": 0.20, "wishes": 0.07,
}  # fmt: skip
PROVIDER = {"budget": 0.35, "work": 0.25, "sectors": 0.10, "load": 0.10, "history": 0.20}

PRIOR = (2.0, 2.0)
"""Beta prior of a yes: one outcome moves a newcomer to 0.4 or 0.6, ten of them most of the way."""

ALIKE = 0.4
"""Cosine of two short texts about the same thing; more is not better."""

NICE = 0.5
"""What a nice-to-have skill weighs beside a required one."""


def unknown(pool: Pool) -> Floats:
    """Return a part of which nothing is known."""
    return np.full(len(pool), np.nan, np.float32)


def skills(ask: Asked, pool: Pool) -> Floats:
    """Share of the required and (half) the nice skills that the profile shows."""
    weights = [(name, 1.0) for name in ask.required] + [(name, NICE) for name in ask.nice]
    if not weights:
        return unknown(pool)
    covered = np.zeros(len(pool), np.float32)
    for name, weight in weights:
        rows, shown = pool.skills.of(name)
        covered[rows] += np.float32(weight) * shown
    value: Floats = covered / np.float32(sum(weight for _, weight in weights))
    return value * pool.columns["skills"]


def level(ask: Asked, pool: Pool) -> Floats:
    """Mean level of those asked-for skills whose level is known."""
    total, known = np.zeros(len(pool), np.float32), np.zeros(len(pool), np.float32)
    for name in (*ask.required, *ask.nice):
        rows, levels = pool.levels.of(name)
        total[rows] += levels
        known[rows] += 1
    return np.divide(total, known, out=unknown(pool), where=known > 0)


def text(ask: Asked, pool: Pool) -> Floats:
    """Mean likeness of the need to the provider's three closest texts (fewer if there are)."""
    items = pool.columns["items"]
    if not ask.words or not items.any():
        return unknown(pool)
    best = three_best(_alike(ask, index, len(pool)) for index in pool.texts)
    mean: Floats = np.divide(best, np.minimum(items, 3), out=unknown(pool), where=items > 0)
    return limited(mean / np.float32(ALIKE))


def _alike(ask: Asked, texts: Index, size: int) -> Floats | None:
    """Return the cosine of the need to one text of each provider; None where no word is shared."""
    found = [(word, weight) for word, weight in ask.words.items() if word in texts]
    if not found:
        return None
    alike = np.zeros(size, np.float32)
    for word, weight in found:
        rows, weights = texts.of(word)
        alike[rows] += np.float32(weight) * weights
    return alike


def limited(value: NDArray[Any]) -> Floats:
    """Return the values cut to 0..1; unknown stays unknown."""
    limited: Floats = np.clip(value, 0.0, 1.0)
    return limited


def three_best(alike: Iterable[Floats | None]) -> Floats | float:
    """Return the sum of the three greatest at each place; a partial sort is four times slower."""
    lines = [line for line in alike if line is not None]
    if len(lines) < 3:
        return sum(lines) if lines else 0.0
    first, second, third = (np.zeros_like(lines[0]) for _ in range(3))
    for line in lines:
        np.maximum(third, np.minimum(second, line), out=third)
        np.maximum(second, np.minimum(first, line), out=second)
        np.maximum(first, line, out=first)
    total: Floats = first + second + third
    return total


def sectors(ask: Asked, pool: Pool) -> Floats:
    """1 where the provider knows one of the need's sectors, else 0."""
    if not ask.sectors:
        return unknown(pool)
    value = np.zeros(len(pool), np.float32)
    for name in ask.sectors:
        value[pool.sectors.of(name)[0]] = 1.0
    return value * pool.columns["sectors"]


def languages(ask: Asked, pool: Pool) -> Floats:
    """Share of the need's languages that the provider speaks."""
    if not ask.languages:
        return unknown(pool)
    value = np.zeros(len(pool), np.float32)
    for name in ask.languages:
        value[pool.languages.of(name)[0]] += 1.0 / len(ask.languages)
    return np.minimum(value, 1.0) * pool.columns["languages"]


def _ratio(ask: Asked, pool: Pool) -> Floats:
    """Rate over the highest allowed rate; unknown across currencies, for no rate is assumed."""
    if ask.limit is None or ask.limit <= 0:
        return unknown(pool)
    ratio: Floats = pool.columns["rate"] / np.float32(ask.limit)
    ratio[pool.codes["currency"] != code(ask.currency)] = np.nan
    return ratio


def rate(ask: Asked, pool: Pool) -> Floats:
    """1 up to the allowed rate (the budget), falling in a line to 0 at `TOO_DEAR` times it."""
    return limited((np.float32(TOO_DEAR) - _ratio(ask, pool)) / np.float32(TOO_DEAR - 1.0))


def budget(ask: Asked, pool: Pool) -> Floats:
    """1 when the provider's own rate is paid, falling to 0 at half of it."""
    ratio: Floats = np.maximum(_ratio(ask, pool), np.float32(1e-9))
    return limited(np.float32(2.0) / ratio - np.float32(1.0))


def available(ask: Asked, pool: Pool) -> Floats:
    """1 for available, 0 for not."""
    return pool.columns["available"]


def wishes(ask: Asked, pool: Pool) -> Floats:
    """Share of the soft constraints that hold, of those that can be told."""
    if not ask.wishes:
        return unknown(pool)
    kept, known = np.zeros(len(pool), np.float32), np.zeros(len(pool), np.float32)
    for rule in ask.wishes:
        found = check(rule, ask, pool)
        kept += ~found.broken & ~found.unknown
        known += ~found.unknown
    return np.divide(kept, known, out=unknown(pool), where=known > 0)


def history(ask: Asked, pool: Pool) -> Floats:
    """Mean of the Beta posterior of clients' yes to this provider; unknown for newcomers."""
    yes, times = pool.columns["yes"], pool.columns["asked"]
    value = (PRIOR[0] + yes) / (sum(PRIOR) + times)
    value[times == 0] = np.nan
    return value


def client_history(ask: Asked, pool: Pool) -> Floats:
    """Mean of the Beta posterior of providers' yes to this client; unknown for newcomers."""
    yes, times = ask.heard
    value = (PRIOR[0] + yes) / (sum(PRIOR) + times) if times else np.nan
    return np.full(len(pool), value, np.float32)


def load(ask: Asked, pool: Pool) -> Floats:
    """Free share of the provider's capacity."""
    capacity: Floats = np.maximum(pool.columns["capacity"], np.float32(1.0))
    return limited(np.float32(1.0) - pool.columns["load"] / capacity)


def client_weights(ask: Asked) -> dict[str, float]:
    """Return the client's weights, summing to 1; languages and wishes count where there are any."""
    idle = {"languages": not ask.languages, "wishes": not ask.wishes}
    kept = {name: weight for name, weight in CLIENT.items() if not idle.get(name)}
    return {name: round(weight / sum(kept.values()), 6) for name, weight in kept.items()}


Part = Callable[[Asked, Pool], Floats]
CLIENT_PARTS: dict[str, Part] = {
    "skills": skills, "level": level, "text": text, "rate": rate, "sectors": sectors,
    "languages": languages, "available": available, "history": history, "wishes": wishes,
}  # fmt: skip
PROVIDER_PARTS: dict[str, Part] = {"budget": budget, "load": load, "history": client_history}
SHARED = {"work": "skills", "sectors": "sectors"}
"""Parts of the provider's view that are the same as one of the client's."""
