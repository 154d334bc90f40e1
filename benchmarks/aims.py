"""Aims, what was measured, and whether they were met."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Aim:
    """`measured` shall be at most `limit`, or with `least` at least; None was not measured."""

    what: str
    measured: float | None
    limit: float
    unit: str = ""
    least: bool = False
    spread: str = ""

    @property
    def verdict(self) -> str:
        if self.measured is None:
            return "not measured"
        if self.least:
            return "met" if self.measured >= self.limit else "MISSED"
        return "met" if self.measured <= self.limit else "MISSED"

    def row(self) -> dict[str, Any]:
        sign = ">=" if self.least else "<="
        return {
            "what": self.what,
            "measured": "" if self.measured is None else self.measured,
            "spread": self.spread,
            "aim": f"{sign} {self.limit:g} {self.unit}".rstrip(),
            "verdict": self.verdict,
        }


def rows(aims: Iterable[Aim]) -> list[dict[str, Any]]:
    """Return a table of all aims."""
    return [aim.row() for aim in aims]
