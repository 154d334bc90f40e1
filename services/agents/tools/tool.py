"""What a tool is: a name, a schema of arguments, an effect, and the work itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.bus import Bus
from shared.errors import SovereignError
from shared.events.tasks import PlanStep, TaskRequest
from shared.events.tools import Artifact, Effect
from shared.settings import Settings

if TYPE_CHECKING:
    from services.agents.prompts import Document

WITHIN_S = 20.0
"""Seconds that one call may take."""
RESULT_CHARS = 6000
"""Characters of one result that a model is shown."""


class UnknownTool(SovereignError):
    """The model called a tool that there is not, after it was told so."""

    code = "unknown_tool"


class LoopDetected(SovereignError):
    """The model makes the same call with the same arguments again and again."""

    code = "loop_detected"


class ToolFailed(SovereignError):
    """A tool could not do what it was asked; the model is told why and goes on."""

    code = "tool_failed"


class ToolRefused(SovereignError):
    """A tool may not do what it was asked; the model is told why and goes on."""

    code = "tool_refused"


class NeedsPerson(SovereignError):
    """The step waits until a person approves it; `field` is the key of the call in question."""

    code = "approval"


class ToolUnsettled(NeedsPerson):
    """A call that may be made once was begun, and nobody knows whether it came to its end."""

    code = "tool_unsettled"


@dataclass(frozen=True)
class Bench:
    """What tools may know of the step that they work for; `cut` names documents shown in part."""

    bus: Bus
    settings: Settings
    task: TaskRequest
    step: PlanStep
    documents: Sequence[Document] = ()
    cut: frozenset[str] = frozenset()

    @property
    def words(self) -> str:
        """Return the text of task and step, in lower case."""
        task = self.task
        return f"{task.title}\n{task.description}\n{self.step.instruction}".lower()


@dataclass(frozen=True)
class Found:
    """What a call gave: text for the model, and the file that it made, if any."""

    content: str
    artifact: Artifact | None = None


Run = Callable[[Bench, dict[str, Any]], Awaitable[Found]]
Fits = Callable[[Bench], bool]


def always(bench: Bench) -> bool:
    """Offer the tool to every step of its agent."""
    return True


def mentions(*stems: str) -> Fits:
    """Return a rule that offers a tool where task or step has a word with one of these stems."""

    def fits(bench: Bench) -> bool:
        return any(stem in bench.words for stem in stems)

    return fits


@dataclass(frozen=True)
class Tool:
    """One tool; `run` raises typed errors only, and gets arguments that meet `parameters`.

    `fits` tells whether a step may need it at all: small models call what they see, needed or not.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    effect: Effect
    run: Run
    fits: Fits = always
    within_s: float = WITHIN_S

    def declared(self) -> dict[str, Any]:
        """Return the tool as chat requests carry it."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": self.parameters,
            },
        }


def arguments(required: Sequence[str] = (), **properties: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a tool's arguments: flat, closed, every text bounded."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }
