"""What `fast` and `smart` stand for among the models at hand: measured first, else by size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from services.router.policy.quality import Quality, Score
from shared.events import ModelInfo

USABLE = 0.5
"""A model that surely fails more often than that is not picked for its speed."""
TIE = 0.02
"""Shares so close are equal: then size decides."""


class Pick(NamedTuple):
    """A model, and why; `measured` when it is not for its size."""

    model: str
    why: str
    measured: bool = False


def fast(models: Sequence[ModelInfo], quality: Quality | None, kind: str) -> Pick | None:
    """Return the model that answers soonest, or the smallest."""
    known = _known(models, quality, kind)
    usable = [(s.mean_s, m.name) for m, s in known if s.mean_s and (s.good or 0) >= USABLE]
    if len(known) > 1 and usable:
        seconds, name = min(usable)
        return Pick(name, f"{name} answers in {seconds:.1f} s, the soonest of {len(known)}", True)
    if not models:
        return None
    name = min(models, key=_size).name
    return Pick(name, f"{name} is the smallest of {len(models)}")


def smart(models: Sequence[ModelInfo], quality: Quality | None, kind: str) -> Pick | None:
    """Return the model that surely does best, or the largest."""
    known = _known(models, quality, kind)
    if len(known) > 1:
        best = max(score.surely for _, score in known)
        model, score = max(
            (one for one in known if one[1].surely >= best - TIE), key=lambda one: _size(one[0])
        )
        tries = score.calls + score.steps
        why = f"{model.name} came out well in {score.good:.0%} of {tries}, the best of {len(known)}"
        return Pick(model.name, why, True)
    if not models:
        return None
    name = max(models, key=_size).name
    return Pick(name, f"{name} is the largest of {len(models)}")


def _known(
    models: Sequence[ModelInfo], quality: Quality | None, kind: str
) -> list[tuple[ModelInfo, Score]]:
    """Return the models that were measured enough to judge."""
    scored = [(model, quality.score(model.name, kind)) for model in models] if quality else []
    return [(model, score) for model, score in scored if score.known]


def _size(model: ModelInfo) -> int:
    return model.size or 0


PICKS: dict[str, Callable[[Sequence[ModelInfo], Quality | None, str], Pick | None]] = {
    "fast": fast,
    "smart": smart,
}
