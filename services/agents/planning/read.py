"""Read a model's plan: what can be repaired is repaired in code, the rest is one line to re-ask."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from services.agents.crew import AgentSpec
from services.agents.planning.shape import MOST_STEPS, ended, nearest_agent, repaired, unique
from shared.errors import OutputInvalid
from shared.events.tasks import Plan, PlanStep, TaskRequest

_MOST_CHARS = 200_000


class _Draft(BaseModel):
    """One step as a model writes it: numbers for ids, null for nothing, long lines."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    id: str = ""
    agent: str = Field(min_length=1)
    title: str = ""
    instruction: str = ""
    depends_on: tuple[str, ...] = ()
    done_when: str = ""

    @field_validator("id", "title", "instruction", "done_when", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return "" if value is None else value

    @field_validator("depends_on", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        """Take null for none, one id for a list of one, and drop what is no id."""
        if value is None or value == "":
            return ()
        given = value if isinstance(value, list) else [value]
        return [str(each) for each in given if isinstance(each, str | int)]


def read_plan(content: str, crew: dict[str, AgentSpec], task: TaskRequest | None = None) -> Plan:
    """Return the plan in a model's answer, repaired; with `task`, ended as its schema needs.

    Raises `OutputInvalid` with the one line that a re-ask should carry.
    """
    drafts = [_draft(value, index) for index, value in enumerate(_raw_steps(content))]
    steps = repaired(_linked(drafts, crew), crew)
    if task is not None:
        steps = ended(steps, task, crew)
    dropped = len(drafts) - len(steps)
    reason = f"planned by a model; {dropped} surplus steps dropped" if dropped > 0 else ""
    return Plan(steps=steps, origin="model", reason=reason or "planned by a model")


def _raw_steps(content: str) -> list[Any]:
    """Return the list of steps in the first JSON value of the answer."""
    value = _json(content[:_MOST_CHARS])
    if isinstance(value, dict) and "steps" not in value and "agent" in value:
        value = [value]
    steps = value.get("steps") if isinstance(value, dict) else value
    if not isinstance(steps, list):
        raise OutputInvalid('steps: the answer must be {"steps": [...]}', field="steps")
    if not steps:
        raise OutputInvalid(f"steps: give 1 to {MOST_STEPS} steps, not none", field="steps")
    return steps


def _json(content: str) -> Any:
    """Return the first JSON object or array, whatever prose or fence stands around it."""
    starts = [at for at in (content.find("{"), content.find("[")) if at >= 0]
    if not starts:
        raise OutputInvalid("the answer holds no JSON")
    try:
        return json.JSONDecoder().raw_decode(content, min(starts))[0]
    except (ValueError, RecursionError) as error:
        raise OutputInvalid(f"the answer is not valid JSON: {error}"[:300]) from None


def _draft(value: Any, index: int) -> _Draft:
    try:
        return _Draft.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in ("steps", index, *first["loc"]))
        raise OutputInvalid(f"{key}: {first['msg']}", field=key) from None


def _linked(drafts: list[_Draft], crew: dict[str, AgentSpec]) -> list[PlanStep]:
    """Return the drafts as steps whose ids are tokens, with dependencies renamed alike."""
    names: dict[str, str] = {}
    ids: list[str] = []
    for number, draft in enumerate(drafts, start=1):
        ids.append(unique(draft.id or f"step-{number}", ids))
        names.setdefault(draft.id, ids[-1])
        names.setdefault(str(number), ids[-1])
    links = [tuple(names[n] for n in draft.depends_on if n in names) for draft in drafts]
    return [
        _step(draft, name, nearest_agent(draft.agent, crew)).model_copy(update={"depends_on": link})
        for draft, name, link in zip(drafts, ids, links, strict=True)
    ]


def _step(draft: _Draft, name: str, agent: str) -> PlanStep:
    """Return a step within its lengths; title and instruction stand in for each other.

    A step with neither raises `OutputInvalid`.
    """
    title, instruction = draft.title.strip(), draft.instruction.strip()
    if not title and not instruction:
        raise OutputInvalid(f"step {name}: instruction is empty", field="instruction")
    return PlanStep(
        id=name,
        agent=agent,
        title=(title or instruction)[:200],
        instruction=(instruction or title)[:4000],
        done_when=draft.done_when[:400],
    )
