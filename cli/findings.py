"""What a check found: ok, warn or fail, in one line, with the fix."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One check's outcome; `fix` is what to type or change, empty when all is well."""

    name: str
    status: Literal["ok", "warn", "fail"]
    detail: str
    fix: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return the finding as plain data."""
        return asdict(self)


def ok(name: str, detail: str) -> Finding:
    """All is well."""
    return Finding(name, "ok", detail)


def warned(name: str, detail: str, fix: str) -> Finding:
    """It works, but less well than it could."""
    return Finding(name, "warn", detail, fix)


def failed(name: str, detail: str, fix: str) -> Finding:
    """It does not work until this is mended."""
    return Finding(name, "fail", detail, fix)
