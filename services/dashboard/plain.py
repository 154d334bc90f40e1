"""Values in the plain forms that JSON and charts take."""

from __future__ import annotations

from typing import Any, overload

from pydantic import BaseModel


@overload
def plain(body: BaseModel) -> dict[str, Any]: ...
@overload
def plain(body: BaseModel | None) -> dict[str, Any] | None: ...


def plain(body: BaseModel | None) -> dict[str, Any] | None:
    """Return a body as JSON holds it; nothing stays nothing."""
    return None if body is None else body.model_dump(mode="json")


def rounded(value: float | None) -> float | None:
    """Return a figure to three places after the point, enough for seconds and shares."""
    return None if value is None else round(value, 3)
