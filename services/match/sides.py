"""Both sides of many needs against the whole pool, weighted and ready to be multiplied.

Unknown is 0 on its side, so that it adds nothing; what is known is added up by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from services.match.asked import Asked
from services.match.auction import Array
from services.match.constraints import TOO_DEAR
from services.match.factors import Lines, Words
from services.match.index import Floats
from services.match.parts import ALIKE, CLIENT, NICE, PRIOR, PROVIDER, client_weights
from services.match.pool import Pool, code

FREE = 1e-9
"""Stands in for a rate of nothing, which cannot be divided by."""


class Sides:
    """Needs and providers as factors of the parts of both views.

    `texts` and `rate` come weighted, `weights` holds the clients' weights by part; see `parts`.
    """

    def __init__(self, asks: Sequence[Asked], pool: Pool) -> None:
        self.asks, self.pool = asks, pool
        self.weights = _weights(asks)
        self.budgets = {
            name: numbers([ask.limit if ask.currency == name and ask.limit else 0 for ask in asks])
            for name in dict.fromkeys(ask.currency for ask in asks if (ask.limit or 0) > 0)
        }
        self.heard = numbers(_heard(ask) for ask in asks)
        self._set_words()
        self.texts = self._texts()
        self._set_rates()
        self._set_standing()

    def _set_words(self) -> None:
        asks, pool = self.asks, self.pool
        wanted = [dict.fromkeys(ask.nice, NICE) | dict.fromkeys(ask.required, 1.0) for ask in asks]
        each = [dict.fromkeys(found, 1.0) for found in wanted]
        ones, all_ones = np.ones(len(asks), np.float32), np.ones(len(pool), np.float32)
        self.whole = numbers(sum(found.values()) for found in wanted)
        self.skills = Words(wanted, [pool.skills], (_over(self.whole), self.known("skills")))
        self.levels = Words(each, [pool.levels], (ones, all_ones))
        self.levelled = Words(each, [pool.levels.plain()], (ones, all_ones))
        sectors = [dict.fromkeys(ask.sectors, 1.0) for ask in asks]
        self.sectors = Words(sectors, [pool.sectors], (ones, self.known("sectors")))
        tongues = [dict.fromkeys(ask.languages, 1.0) for ask in asks]
        scale = self.weights["languages"] * _over(numbers(len(found) for found in tongues))
        self.languages = Words(tongues, [pool.languages], (scale, self.known("languages")))

    def _texts(self) -> list[Words]:
        """Return one product for all texts while nobody has a fourth, else one for each."""
        items = self.pool.columns["items"]
        scale = (self.weights["text"], 1 / (np.float32(ALIKE) * np.clip(items, 1, 3)))
        there = [index for index in self.pool.texts if len(index)]
        groups = [there] if len(there) <= 3 else [[index] for index in there]
        return [Words([ask.words for ask in self.asks], group, scale) for group in groups]

    def _set_rates(self) -> None:
        """Lay out both parts that compare a rate with a budget, before they are cut to 0..1.

        They are (`TOO_DEAR` - rate / limit) / (`TOO_DEAR` - 1) and 2 limit / rate - 1.
        """
        weight, fair = self.weights["rate"], np.float32(PROVIDER["budget"])
        slope = np.float32(1 / (TOO_DEAR - 1))
        by_rate: list[tuple[Array, Array]] = []
        by_budget: list[tuple[Array, Array]] = []
        for name, limit in self.budgets.items():
            rated = self.rated(name)
            rate = np.where(rated > 0, self.pool.columns["rate"], np.float32(0))
            asked = (limit > 0).astype(np.float32)
            by_rate += [
                (weight * slope * np.float32(TOO_DEAR) * asked, rated),
                (-weight * slope * _over(limit), rate),
            ]
            by_budget += [
                (2 * fair * limit, rated / np.maximum(rate, np.float32(FREE))),
                (-fair * asked, rated),
            ]
        self.rate, self.budget = self._lines(by_rate), self._lines(by_budget)

    def _set_standing(self) -> None:
        """Lay out what needs no comparing, and what is known of both views."""
        weights, pool = self.weights, self.pool
        yes, times = pool.columns["yes"], pool.columns["asked"]
        history = (np.float32(PRIOR[0]) + yes) / (np.float32(sum(PRIOR)) + times) * (times > 0)
        everyone, all_needs = np.ones(len(pool)), np.ones(len(self.asks))
        capacity = np.maximum(pool.columns["capacity"], 1)
        free = np.clip(1 - pool.columns["load"] / capacity, 0, 1)
        self.client = self._lines(
            [
                (weights["available"], np.nan_to_num(pool.columns["available"])),
                (weights["history"], history),
            ]
        )
        self.provider = self._lines(
            [
                (PROVIDER["load"] * all_needs, free),
                (PROVIDER["history"] * np.nan_to_num(self.heard), everyone),
            ]
        )
        self.client_known, self.provider_known = self._known()

    def _known(self) -> tuple[Lines, Lines]:
        """Return the known weights of both views, but for levels and wishes."""
        weights, columns = self.weights, self.pool.columns
        everyone = np.ones(len(self.pool))
        asked = {
            "skills": self.whole > 0,
            "sectors": numbers(len(ask.sectors) for ask in self.asks) > 0,
            "text": numbers(len(ask.words) for ask in self.asks) > 0,
        }
        client: list[tuple[Array, Array]] = [
            (weights["skills"] * asked["skills"], self.known("skills")),
            (weights["sectors"] * asked["sectors"], self.known("sectors")),
            (weights["languages"], self.known("languages")),
            (weights["text"] * asked["text"], columns["items"] > 0),
            (weights["available"], self.known("available")),
            (weights["history"], columns["asked"] > 0),
        ]
        provider: list[tuple[Array, Array]] = [
            (PROVIDER["work"] * asked["skills"], self.known("skills")),
            (PROVIDER["sectors"] * asked["sectors"], self.known("sectors")),
            (
                np.float32(PROVIDER["load"]) + PROVIDER["history"] * ~np.isnan(self.heard),
                everyone,
            ),
        ]
        for name, limit in self.budgets.items():
            client.append((weights["rate"] * (limit > 0), self.rated(name)))
            provider.append((PROVIDER["budget"] * (limit > 0), self.rated(name)))
        return self._lines(client), self._lines(provider)

    def known(self, name: str) -> Floats:
        """Return 1 for providers of whom the column is known, else 0."""
        known: Floats = (~np.isnan(self.pool.columns[name])).astype(np.float32)
        return known

    def rated(self, currency: str) -> Floats:
        """Return 1 for providers whose rate is known in this currency, else 0."""
        same = self.pool.codes["currency"] == code(currency)
        rated: Floats = same.astype(np.float32) * self.known("rate")
        return rated

    def _lines(self, pairs: Sequence[tuple[Array, Array]]) -> Lines:
        needs = np.zeros((len(pairs), len(self.asks)), np.float32)
        providers = np.zeros((len(pairs), len(self.pool)), np.float32)
        for n, (need, provider) in enumerate(pairs):
            needs[n], providers[n] = need, provider
        return Lines(needs, providers)


def numbers(values: Iterable[float]) -> Floats:
    """Return one number a need."""
    return np.array(list(values), np.float32)


def _over(values: Floats) -> Floats:
    """Return the reciprocals; 0 of nothing is 0."""
    found: Floats = np.divide(1, values, out=np.zeros_like(values), where=values > 0)
    return found


def _weights(asks: Sequence[Asked]) -> dict[str, Floats]:
    """Return the clients' weights by part; languages and wishes count where there are any."""
    kinds = [(bool(ask.languages), bool(ask.wishes)) for ask in asks]
    first = dict(zip(reversed(kinds), reversed(asks), strict=True))
    seen = {kind: client_weights(ask) for kind, ask in first.items()}
    return {name: numbers(seen[kind].get(name, 0.0) for kind in kinds) for name in CLIENT}


def _heard(ask: Asked) -> float:
    yes, times = ask.heard
    return (PRIOR[0] + yes) / (sum(PRIOR) + times) if times else np.nan
