"""The end of the month: what is known, and the days that are left as those before them were.

A sum needs the mean of days, not their median: who works five days of seven has no usual weekend.
Working days and weekends have a mean each, from two weeks on; a trend goes on only when it is sure.
"""

from __future__ import annotations

import math
import statistics
from calendar import monthrange
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from services.router.monitor import forecast
from services.router.monitor.detector import NORMAL
from services.router.monitor.forecast import ENOUGH
from shared.events import Forecast

WEEKS = 14
"""Days, before which weekends and trends cannot be told from chance."""
SATURDAY = 5
WILD = 5.0
"""Standard deviations, by the MAD, above the median: a day beyond is counted as one there."""
FEW = 0.1
"""Of the days: when more are wild, they are how it goes here."""
SURE = 1.96
"""Of the Mann-Kendall statistic: nineteen in twenty."""
Foretold = Literal["calls", "tokens", "cost_usd"]


class Now(NamedTuple):
    """The instant (UTC), what the month came to so far, and today's part of that."""

    at: datetime
    so_far: float
    today: float


class Usual(NamedTuple):
    """What a day brings: a mean by working day (False) and weekend (True), a slope around
    `centre`, and the standard deviation of a day with its degrees of freedom."""

    means: dict[bool, float]
    counts: Counter[bool]
    slope: float
    centre: date
    squares: float
    spread: float
    freedom: int

    def of(self, day: date) -> float:
        """Return what this day should bring, never less than nothing."""
        return max(0.0, self.means[self.kind(day)] + self.slope * (day - self.centre).days)

    def kind(self, day: date) -> bool:
        """Tell whether the day counts as a weekend here."""
        return len(self.means) > 1 and day.weekday() >= SATURDAY

    def scatter(self, days: Sequence[date], more: float) -> float:
        """Return the standard deviation of the sum of `days` and `more` of one: theirs, and that
        of the means and of the slope (as in linear regression)."""
        ahead = Counter(map(self.kind, days))
        variance = len(days) + more
        variance += sum(count * count / self.counts[kind] for kind, count in ahead.items())
        if self.slope:
            variance += sum((day - self.centre).days for day in days) ** 2 / self.squares
        return self.spread * math.sqrt(variance)


def month_end(what: Foretold, values: Sequence[float], now: Now) -> Forecast:
    """Return what the month should come to, by the whole days before today, the last yesterday.

    The range should hold nineteen times of twenty, if days scatter as they did.
    """
    month = f"{now.at:%Y-%m}"
    if len(values) < ENOUGH:
        return Forecast(what=what, month=month, so_far=now.so_far)
    today = now.at.date()
    usual = _usual(values, today)
    left = monthrange(today.year, today.month)[1] - today.day
    days = [today + timedelta(days=n) for n in range(1, left + 1)]
    share = 1 - (now.at.hour * 60 + now.at.minute) / 1440
    rest = min(usual.of(today) * share, max(0.0, usual.of(today) - now.today))
    expected = now.so_far + rest + sum(map(usual.of, days))
    spread = quantile(usual.freedom) * usual.scatter(days, share)
    return Forecast(
        what=what,
        month=month,
        so_far=now.so_far,
        expected=expected,
        low=max(now.so_far, expected - spread),
        high=expected + spread,
    )


def quantile(freedom: int) -> float:
    """Return Student's t for nineteen of twenty (Cornish and Fisher, 1937), three digits from 3."""
    z = 1.959964
    first = (z**3 + z) / (4 * freedom)
    second = (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    return z + first + second + third


def _usual(values: Sequence[float], today: date) -> Usual:
    days = [today - timedelta(days=n) for n in range(len(values), 0, -1)]
    calm = _calmed(values)
    weekly = len(values) >= WEEKS
    kinds = [weekly and day.weekday() >= SATURDAY for day in days]
    centre = days[len(days) // 2]
    places = [(day - centre).days for day in days]
    slope = _sure(_without(calm, kinds)) if weekly else 0.0
    level = [value - slope * place for value, place in zip(calm, places, strict=True)]
    means = _means(level, kinds)
    rests = [value - means[kind] for value, kind in zip(level, kinds, strict=True)]
    freedom = len(values) - len(means) - bool(slope)
    return Usual(
        means=means,
        counts=Counter(kinds),
        slope=slope,
        centre=centre,
        squares=sum(place * place for place in places) or 1,
        spread=math.sqrt(sum(rest * rest for rest in rests) / freedom),
        freedom=freedom,
    )


def _calmed(values: Sequence[float]) -> list[float]:
    """Return the values, a few wild ones brought down to what is just possible."""
    middle = statistics.median(values)
    most = middle + WILD * NORMAL * statistics.median(abs(value - middle) for value in values)
    wild = sum(value > most for value in values)
    if most == middle or wild > FEW * len(values):
        return list(values)
    return [min(value, most) for value in values]


def _means(values: Sequence[float], kinds: Sequence[bool]) -> dict[bool, float]:
    groups: dict[bool, list[float]] = {}
    for value, kind in zip(values, kinds, strict=True):
        groups.setdefault(kind, []).append(value)
    return {kind: statistics.fmean(group) for kind, group in groups.items()}


def _without(values: Sequence[float], kinds: Sequence[bool]) -> list[float]:
    """Return what is left of values without the means of their kinds."""
    means = _means(values, kinds)
    return [value - means[kind] for value, kind in zip(values, kinds, strict=True)]


def _sure(values: Sequence[float]) -> float:
    """Return the slope a day if it is no chance (H. B. Mann, 1945; M. G. Kendall), else 0."""
    count = len(values)
    signs = sum(
        (later > value) - (later < value) for n, value in enumerate(values) for later in values[n:]
    )
    deviation = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    slope = forecast.slope(values) or 0.0
    return slope if abs(signs) > SURE * deviation else 0.0
