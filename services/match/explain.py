"""Why a pair has its score: parts with reasons, what is missing, what would change it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

from services.match.asked import Asked
from services.match.hints import hints
from services.match.index import Floats
from services.match.parts import PROVIDER
from services.match.reasons import missing_word, reason
from services.match.scoring import Scores
from shared.events import MatchScore, Profile, ScorePart

DIGITS = 6
"""Digits after the point of every published number."""


def explain(ask: Asked, scores: Scores, row: int, profile: Profile) -> MatchScore:
    """Return the pair with its reasons; `profile` is the provider in `row`."""
    pair = (ask, profile)
    parts = (
        *_parts("client", scores.weights, _row(scores.client_parts, row), pair),
        *_parts("provider", PROVIDER, _row(scores.provider_parts, row), pair),
    )
    return MatchScore(
        need_id=ask.need.need_id,
        provider_id=profile.party_id,
        provider_name=profile.name,
        total=round(float(scores.total[row]), DIGITS),
        client_view=round(float(scores.client[row]), DIGITS),
        provider_view=round(float(scores.provider[row]), DIGITS),
        confidence=round(float(scores.confidence[row]), DIGITS),
        parts=tuple(sorted(parts, key=_order)),
        blockers=_once(limit.line(row) for limit in scores.limits if limit.broken[row]),
        missing=_missing(parts, scores, row),
        hints=hints(pair, scores, row),
    )


def _row(columns: dict[str, Floats], row: int) -> dict[str, float | None]:
    """Return one provider's values, None for unknown."""
    numbers = {name: float(values[row]) for name, values in columns.items()}
    return {
        name: None if math.isnan(number) else round(min(max(number, 0.0), 1.0), DIGITS)
        for name, number in numbers.items()
    }


def _parts(
    view: Literal["client", "provider"],
    weights: dict[str, float],
    values: dict[str, float | None],
    pair: tuple[Asked, Profile],
) -> tuple[ScorePart, ...]:
    return tuple(
        ScorePart(
            name=name,
            view=view,
            value=values[name],
            weight=weight,
            reason=reason(view, name, values[name], pair),
        )
        for name, weight in weights.items()
    )


def _missing(parts: tuple[ScorePart, ...], scores: Scores, row: int) -> tuple[str, ...]:
    unknown = [missing_word(part) for part in parts if part.value is None]
    unknown += [f"cannot tell: {limit.label}" for limit in scores.limits if limit.unknown[row]]
    return _once(unknown)


def _order(part: ScorePart) -> bool:
    """A rate that costs a pair its points is told before all else; the rest keeps its order."""
    return not (part.name in ("rate", "budget") and part.value is not None and part.value < 1.0)


def _once(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))
