"""Plan by rule: a named agent or template, one small job for one agent, or a question in parts."""

from __future__ import annotations

import re

from services.agents.crew import AgentSpec, Crew
from services.agents.excerpt import cut
from services.agents.planning.parts import Part, is_question, is_request, split_parts
from services.agents.planning.shape import ended, repaired, unique
from services.agents.planning.template import template_plan
from services.agents.prompts import ANSWER
from shared.errors import InvalidInput
from shared.events.tasks import Plan, PlanStep, TaskRequest

SMALL_CHARS = 600
"""A task of at most this many characters, with one purpose, is one agent's work."""
_MOST_PARTS = 6
_TITLE_CHARS = 100
_WORD = re.compile(r"[^\W_]+")
_CLAUSE = re.compile(r"[.!?;\n]+")


def plan_by_rule(task: TaskRequest, crew: dict[str, AgentSpec]) -> Plan | None:
    """Return a plan where rules suffice; None means that a model should be asked.

    An unknown `agent` or `template` raises `InvalidInput` with the field.
    """
    if task.agent is not None:
        return _by_agent(task, task.agent, crew)
    if task.template is not None:
        return template_plan(task.template, task, crew)
    parts = _parts(task)
    if _needs_model(task, parts):
        return None
    if len(parts) > 1:
        return _by_parts(task, parts, crew)
    return _by_words(task, parts, crew)


def _by_agent(task: TaskRequest, agent: str, crew: dict[str, AgentSpec]) -> Plan:
    if agent not in crew:
        known = ", ".join(sorted(crew))
        fault = crew.faults.get(agent) if isinstance(crew, Crew) else None
        why = f" (its file is wrong: {fault})" if fault else ""
        raise InvalidInput(f"agent: no agent {agent!r}{why}; there are {known}", field="agent")
    step = _single(task, crew[agent], "Do what the task asks.")
    return Plan(steps=(step,), origin="rule", reason=f"the task names {agent}")


def _parts(task: TaskRequest) -> list[Part]:
    """Return the parts of the title, or of the description when only that asks."""
    parts = split_parts(task.title)
    if any(part.aspect for part in parts) or is_question(task.title):
        return parts
    more = split_parts(task.description) if len(task.description) <= SMALL_CHARS else []
    asked = [part for part in more if part.aspect and is_request(part.text)]
    return asked if asked else parts


def _needs_model(task: TaskRequest, parts: list[Part]) -> bool:
    """Tell whether the request is long or has parts whose kind no rule knows."""
    unknown = sum(part.aspect is None for part in parts)
    if not parts or len(parts) > _MOST_PARTS or unknown > 1:
        return True
    if any(part.aspect for part in parts):
        return False
    clauses = [c for c in _CLAUSE.split(task.description) if len(c.split()) > 2]
    return len(task.title) + len(task.description) > SMALL_CHARS or len(clauses) > 3


def _by_words(task: TaskRequest, parts: list[Part], crew: dict[str, AgentSpec]) -> Plan:
    """Return one step for the agent whose keywords the task uses most."""
    aspect = parts[0].aspect
    name = aspect.agent if aspect and aspect.agent in crew else _agent_for(task.title, crew)
    instruction = aspect.instruction if aspect else _as_asked(task.title)
    step = _single(task, crew[name], instruction)
    return Plan(steps=(step,), origin="rule", reason=f"one small job for {name}")


def _by_parts(task: TaskRequest, parts: list[Part], crew: dict[str, AgentSpec]) -> Plan:
    """Return a step for each part; what needs another part waits for it, the rest is parallel."""
    named = {part.aspect.name for part in parts if part.aspect}
    steps: list[PlanStep] = []
    for part in parts:
        steps.append(_part_step(part, named, steps, crew))
    final = ended(repaired(steps, crew), task, crew)
    return Plan(steps=final, origin="rule", reason=f"a question of {len(parts)} parts")


def _part_step(
    part: Part, named: set[str], before: list[PlanStep], crew: dict[str, AgentSpec]
) -> PlanStep:
    aspect = part.aspect
    if aspect is None:
        agent = _agent_for(part.text, crew)
        name = unique("part", [step.id for step in before])
        text, title = _as_asked(part.text), _title(part, [])
        needs: tuple[str, ...] = ()
    else:
        agent = aspect.agent if aspect.agent in crew else _agent_for(part.text, crew)
        name, text = aspect.name, aspect.instruction
        title = _title(part, [step.title for step in before])
        needs = tuple(need for need in aspect.needs if need in named)
    return PlanStep(
        id=name,
        agent=agent,
        title=cut(title, 200),
        instruction=text,
        depends_on=needs,
        done_when=crew[agent].done_when,
    )


def _single(task: TaskRequest, spec: AgentSpec, instruction: str) -> PlanStep:
    return PlanStep(
        id=ANSWER,
        agent=spec.name,
        title=cut(task.title, 200),
        instruction=instruction,
        done_when=spec.done_when,
    )


def _title(part: Part, taken: list[str]) -> str:
    """Return the asker's words for a part; its aspect's name when they stand for two parts."""
    own = part.text[:1].upper() + part.text[1:]
    if part.aspect and (own in taken or len(own) > _TITLE_CHARS):
        return part.aspect.title
    return own


def _as_asked(text: str) -> str:
    return cut(text, 2000)


def _agent_for(text: str, crew: dict[str, AgentSpec]) -> str:
    """Return the agent whose keywords begin the most words of `text`; the earliest word decides.

    A question without any goes to the analyzer, other work to the builder.
    """
    plain = " " + " ".join(_WORD.findall(text.lower()))
    scores = {
        name: (sum(f" {word}" in plain for word in spec.keywords), -_first(plain, spec))
        for name, spec in crew.items()
    }
    best = max(scores, key=lambda name: scores[name])
    if scores[best][0]:
        return best
    wanted = "analyzer" if is_question(text) else "builder"
    return wanted if wanted in crew else next(iter(crew))


def _first(plain: str, spec: AgentSpec) -> int:
    """Return where the first keyword stands in `plain`, or its end."""
    found = [at for word in spec.keywords if (at := plain.find(f" {word}")) >= 0]
    return min(found, default=len(plain))
