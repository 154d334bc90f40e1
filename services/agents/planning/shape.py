"""Make steps into a valid plan, the same way every time: ids, agents, edges, number, end."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from services.agents.crew import AgentSpec
from services.agents.prompts import ANSWER
from shared.errors import OutputInvalid
from shared.events.tasks import PlanStep, TaskRequest

MOST_STEPS = 8
_ALIKE = 5
_NOT_TOKEN = re.compile(r"[^A-Za-z0-9_-]+")


def repaired(steps: Iterable[PlanStep], crew: dict[str, AgentSpec]) -> tuple[PlanStep, ...]:
    """Return at most eight steps with known agents, unique ids and no cycle, in running order.

    Unknown dependencies are dropped; so is, in the order given, each that would close a cycle.
    An agent that resembles none raises `OutputInvalid`.
    """
    given = list(steps)[:MOST_STEPS]
    ids: list[str] = []
    for step in given:
        ids.append(unique(step.id, ids))
    names = dict(zip((s.id for s in reversed(given)), reversed(ids), strict=True))
    needs = _acyclic(ids, [[names[n] for n in step.depends_on if n in names] for step in given])
    fixed = {
        name: step.model_copy(
            update={
                "id": name,
                "agent": nearest_agent(step.agent, crew),
                "depends_on": tuple(needs[name]),
            }
        )
        for name, step in zip(ids, given, strict=True)
    }
    return tuple(fixed[name] for name in _sorted(ids, needs))


def _acyclic(ids: list[str], wanted: list[list[str]]) -> dict[str, list[str]]:
    """Return the dependencies of each id, without those that would close a cycle."""
    needs: dict[str, list[str]] = {name: [] for name in ids}
    for name, each in zip(ids, wanted, strict=True):
        for need in dict.fromkeys(each):
            if name not in _behind(need, needs):
                needs[name].append(need)
    return needs


def _behind(name: str, needs: dict[str, list[str]]) -> set[str]:
    """Return `name` and everything that it depends on."""
    found = {name}
    open_ends = [name]
    while open_ends:
        new = [each for each in needs[open_ends.pop()] if each not in found]
        found.update(new)
        open_ends.extend(new)
    return found


def _sorted(ids: list[str], needs: dict[str, list[str]]) -> list[str]:
    """Return the ids so that each stands behind what it needs, else in the order given."""
    left, placed = list(ids), []
    while left:
        ready = next(name for name in left if all(need in placed for need in needs[name]))
        left.remove(ready)
        placed.append(ready)
    return placed


def unique(name: str, taken: Sequence[str]) -> str:
    """Return `name` as a token that is not taken: `-2`, `-3` … is added."""
    base = _NOT_TOKEN.sub("-", name).strip("-")[:60] or "step"
    if base not in taken:
        return base
    return next(f"{base}-{n}" for n in range(2, 99) if f"{base}-{n}" not in taken)


def nearest_agent(name: str, crew: dict[str, AgentSpec]) -> str:
    """Return the agent that `name` means: itself, its spelling, or a near one."""
    plain = name.strip().lower()
    if name in crew:
        return name
    for agent in crew:
        start = agent.lower()[:_ALIKE]
        if plain == agent.lower() or (len(plain) >= _ALIKE and plain.startswith(start)):
            return agent
    near = difflib.get_close_matches(plain, list(crew), n=1, cutoff=0.7)
    if near:
        return near[0]
    raise OutputInvalid(
        f"agent: {name[:40]!r} is not one of {', '.join(sorted(crew))}", field="agent"
    )


def ended(
    steps: tuple[PlanStep, ...], task: TaskRequest, crew: dict[str, AgentSpec]
) -> tuple[PlanStep, ...]:
    """Return the steps so that, when the task wants a schema, one step `answer` is the only end.

    `steps` stand in running order, so that the last one is an end.
    """
    if task.output_schema is None:
        return steps
    kept = _renamed(steps, ANSWER, unique("part", [step.id for step in steps]))
    used = {name for step in kept for name in step.depends_on}
    ends = [step.id for step in kept if step.id not in used]
    if len(ends) > 1 and len(kept) < MOST_STEPS:
        return (*kept, final_step(ends, crew))
    *first, last = _renamed(kept, kept[-1].id, ANSWER)
    needs = (*last.depends_on, *(end for end in ends if end != kept[-1].id))
    return (*first, last.model_copy(update={"depends_on": needs}))


def final_step(needs: Iterable[str], crew: dict[str, AgentSpec]) -> PlanStep:
    """Return the step that puts the outputs of `needs` into one answer."""
    agent = "builder" if "builder" in crew else next(iter(crew))
    return PlanStep(
        id=ANSWER,
        agent=agent,
        title="Answer",
        instruction="Combine the inputs into the one answer that the task asks for.",
        depends_on=tuple(needs),
        done_when="Every part of the task is answered from the inputs, nothing twice.",
    )


def _renamed(steps: Iterable[PlanStep], old: str, new: str) -> tuple[PlanStep, ...]:
    """Return the steps with one id changed, where it stands and where it is needed."""
    return tuple(
        step.model_copy(
            update={
                "id": new if step.id == old else step.id,
                "depends_on": tuple(new if name == old else name for name in step.depends_on),
            }
        )
        for step in steps
    )
