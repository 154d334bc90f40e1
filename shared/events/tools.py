"""What agents do besides asking a model: calls of tools, and the files that they make."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from shared.events.base import Body, Reason

Effect = Literal["pure", "idempotent", "once"]
"""What happens when a call is repeated: nothing at all, nothing more, or the same thing again."""

ARTIFACT_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
"""Names of artifacts: no folders, nothing hidden, nothing that a shell would read otherwise."""


class Artifact(Body):
    """A file that a step made: the object `object` in the store `artifacts`; `size` in bytes."""

    name: str = Field(pattern=ARTIFACT_NAME)
    object: str = Field(max_length=255)
    size: int = Field(ge=0)
    media_type: str = "text/plain"
    digest: str = ""
    step_id: str = ""


class ToolUse(Body):
    """One call of a tool as a result shows it; `reason` tells why it gave nothing."""

    tool: str
    effect: Effect
    arguments: dict[str, Any] = Field(default_factory=dict)
    reason: Reason | None = None
    seconds: float = 0.0
