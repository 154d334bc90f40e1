"""Changes to the router that a recommendation proposes: applied, measured, rolled back."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.clock import now
from shared.events.base import Body, Instant
from shared.subjects import Token

Verdict = Literal["measuring", "better", "worse", "same", "unknown"]


class TuningMeasure(Body):
    """What was measured over `calls` calls: `value` is that of the change's `metric`.

    `p50_s` is the median of a model's answers in seconds; null is unknown.
    """

    calls: int = 0
    value: float | None = None
    p50_s: float | None = None
    success: float | None = None


class TuningChange(Body):
    """One setting that was changed while the router runs, kept over restarts.

    `id` names the change (for `model.rollback`), `recommendation` what proposed it. `before` and
    `after` are values of `setting` as texts. `metric` is a share 0..1 of `OptimizationReport`'s
    recommendation; `verdict` compares `measured_after` with `measured_before` (a tenth of
    difference decides, from 20 calls on each side). `superseded` is a change whose setting the
    owner has meanwhile written otherwise: the owner's word counts.
    """

    id: Token
    recommendation: str
    title: str
    setting: str
    before: str
    after: str
    state: Literal["applied", "rolled_back", "superseded"] = "applied"
    metric: str = ""
    expected: float | None = None
    measured_before: TuningMeasure | None = None
    measured_after: TuningMeasure | None = None
    verdict: Verdict = "measuring"
    by: str = ""
    applied_at: Instant = Field(default_factory=now)
    rolled_back_at: Instant | None = None


class TuningAsk(Body):
    """A request on `model.apply` (a recommendation's id) or `model.rollback` (a change's id).

    `value` stands for the value that the recommendation proposes.
    """

    id: str = Field(min_length=1, max_length=200)
    value: str | None = Field(default=None, min_length=1, max_length=200)
    by: str = Field(default="somebody", max_length=200)


class TuningChanges(Body):
    """The answer of `model.changes`, the latest first."""

    changes: tuple[TuningChange, ...] = ()
