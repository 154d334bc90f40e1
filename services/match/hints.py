"""Counterfactuals: what the total would be if one thing were different, worked out, not guessed."""

from __future__ import annotations

import math
from collections.abc import Iterator

from services.match.index import Floats
from services.match.money import text
from services.match.parts import NICE, PROVIDER
from services.match.reasons import Pair, lacking
from services.match.scoring import THIN, Scores

MOST = 3
LEAST_GAIN = 0.005
"""Gains that would show as 0.00 are not told."""

Change = dict[tuple[str, str], float]


def hints(pair: Pair, scores: Scores, row: int) -> tuple[str, ...]:
    """Return up to `MOST` changes by what each alone would add, the largest gain first."""
    now = _total(scores, row, {})
    gains = [
        (_total(scores, row, change) - now, words) for words, change in _changes(pair, scores, row)
    ]
    told = sorted((gain for gain in gains if gain[0] >= LEAST_GAIN), key=lambda g: (-g[0], g[1]))
    return tuple(f"+{gain:.2f} if {words}" for gain, words in told[:MOST])


def _changes(pair: Pair, scores: Scores, row: int) -> Iterator[tuple[str, Change]]:
    """Yield what could be different and the parts that it would set."""
    ask, profile = pair
    if ask.limit is not None:
        limit = text(math.floor(ask.limit), ask.currency)
        yield f"the rate is at most {limit}", {("client", "rate"): 1.0, ("provider", "budget"): 1.0}
    yield from _skill_changes(pair, scores, row)
    if ask.languages:
        yield f"the provider speaks {', '.join(ask.languages)}", {("client", "languages"): 1.0}
    if ask.sectors:
        both: Change = {("client", "sectors"): 1.0, ("provider", "sectors"): 1.0}
        yield f"the provider knows {' or '.join(ask.sectors)}", both
    if profile.available is None:
        yield "the provider is available", {("client", "available"): 1.0}


def _skill_changes(pair: Pair, scores: Scores, row: int) -> Iterator[tuple[str, Change]]:
    ask, profile = pair
    now = float(scores.client_parts["skills"][row])
    lacks = lacking(ask, profile)
    if math.isnan(now):
        now, lacks = 0.0, list(ask.required)
    weight = len(ask.required) + NICE * len(ask.nice)
    for name in lacks:
        value = min(1.0, now + 1.0 / weight)
        both: Change = {("client", "skills"): value, ("provider", "work"): value}
        yield f"the profile shows {name}", both


def _total(scores: Scores, row: int, change: Change) -> float:
    client = _view("client", scores.client_parts, scores.weights, (row, change))
    provider = _view("provider", scores.provider_parts, PROVIDER, (row, change))
    return 2.0 * client * provider / (client + provider) if client + provider else 0.0


def _view(
    side: str, parts: dict[str, Floats], weights: dict[str, float], at: tuple[int, Change]
) -> float:
    """The same mean as `scoring.view`, for one pair with a change."""
    row, change = at
    values = {name: change.get((side, name), float(parts[name][row])) for name in weights}
    known = {name: value for name, value in values.items() if not math.isnan(value)}
    weight = sum(weights[name] for name in known)
    if not weight:
        return 0.0
    mean = sum(weights[name] * value for name, value in known.items()) / weight
    return min(mean, 1.0) * min(1.0, THIN * weight)
