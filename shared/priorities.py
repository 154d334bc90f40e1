"""The words for how soon. Nothing heavy is imported here: every start of the command needs them."""

from __future__ import annotations

from typing import Literal

PriorityName = Literal["urgent", "high", "normal", "low"]
"""In subjects, settings and options; `shared.events.tasks.Priority` is the same as an enum."""
