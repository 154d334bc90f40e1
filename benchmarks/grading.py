"""How well a crew did one task of the evaluation set, told from its journal. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from services.agents.crew import load_crew
from services.agents.planning import read_plan
from shared.errors import OutputInvalid
from shared.events import journal as j
from shared.events.tasks import Plan, TaskRequest, TaskResult, TaskState

SET = Path(__file__).with_name("evaluation.yaml")


@dataclass(frozen=True)
class Case:
    """One task of the set and what is expected of it."""

    request: TaskRequest
    expect: dict[str, Any]


@dataclass(frozen=True)
class Grade:
    """What became of one case; `missed` names the expectations that were not met.

    `asks`: requests for a plan. `repaired`: code had to change the model's plan. `fallback`:
    there was no usable plan of a model, so that the fixed one was taken. `steps`, `done`,
    `verified`, `revisions` count steps.
    """

    name: str
    state: str
    origin: str = ""
    asks: int = 0
    valid: int = 0
    repaired: bool = False
    fallback: bool = False
    steps: int = 0
    done: int = 0
    verified: int = 0
    revisions: int = 0
    tokens: int = 0
    seconds: float = 0.0
    missed: tuple[str, ...] = ()
    plan: Plan | None = field(default=None, compare=False)


def cases(file: Path = SET) -> list[Case]:
    """Return the set; each case with its documents as attachments."""
    held = yaml.safe_load(file.read_text(encoding="utf-8"))
    return [_case(each, held["documents"]) for each in held["tasks"]]


def _case(given: dict[str, Any], documents: dict[str, str]) -> Case:
    fields = dict(given)
    expect = fields.pop("expect")
    names = fields.pop("documents", [])
    files = [{"name": f"{name}.txt", "text": documents[name]} for name in names]
    fields["task_id"] = fields.pop("id")
    return Case(TaskRequest.model_validate({**fields, "attachments": files}), expect)


def grade(case: Case, entries: Sequence[j.AnyEntry], result: TaskResult | None) -> Grade:
    """Return the grade of a case; without a result the task waits for a model."""
    plan = next((e.plan for e in entries if isinstance(e, j.TaskPlanned)), None)
    asks = [e for e in entries if isinstance(e, j.ModelAnswered) and e.step_id is None]
    ends = [e.result for e in entries if isinstance(e, j.StepEnded)]
    good = [end for end in ends if end.state is TaskState.DONE]
    state = str(result.state) if result else "waiting"
    return Grade(
        name=str(case.request.task_id),
        state=state,
        origin=plan.origin if plan else "",
        asks=len(asks),
        valid=sum(_readable(e.reply.content, case) for e in asks),
        repaired=bool(plan and plan.origin == "model" and asks and _repaired(asks[-1], plan)),
        fallback=bool(plan and plan.origin == "template" and case.request.template is None),
        steps=len(plan.steps) if plan else 0,
        done=len(good),
        verified=sum(end.verified is not False for end in good),
        revisions=sum(end.revisions for end in ends),
        tokens=_tokens(result),
        seconds=(entries[-1].at - entries[0].at).total_seconds() if entries else 0.0,
        missed=tuple(_missed(case, plan, result)),
        plan=plan,
    )


def _readable(content: str, case: Case) -> bool:
    try:
        read_plan(content, load_crew(), case.request)
    except OutputInvalid:
        return False
    return True


def _repaired(answer: j.ModelAnswered, plan: Plan) -> bool:
    """Tell whether ids, agents or dependencies of the plan are not as the model wrote them."""
    try:
        steps = json.loads(answer.reply.content)["steps"]
        given = [(s["id"], s["agent"], sorted(s.get("depends_on") or ())) for s in steps]
    except (ValueError, KeyError, TypeError):
        return True
    made = [(s.id, s.agent, sorted(s.depends_on)) for s in plan.steps]
    return sorted(given) != sorted(made)


def _tokens(result: TaskResult | None) -> int:
    if result is None:
        return 0
    return result.usage.prompt_tokens + result.usage.completion_tokens


def _missed(case: Case, plan: Plan | None, result: TaskResult | None) -> list[str]:
    expect = case.expect
    if result is None:
        return [] if expect.get("waits") else ["answer"]
    if expect.get("waits") and not result.is_llm and result.state is TaskState.DONE:
        return ["waits"]
    if result.state is not TaskState.DONE:
        return [f"done ({result.state})"]
    return [*_plan_missed(expect, plan), *_words_missed(expect, result.answer.casefold())]


def _plan_missed(expect: dict[str, Any], plan: Plan | None) -> list[str]:
    if plan is None:
        return ["plan"]
    missed = []
    least, most = expect.get("steps", (1, 8))
    if not least <= len(plan.steps) <= most:
        missed.append(f"steps {len(plan.steps)}")
    if plan.origin not in expect.get("by", [plan.origin]):
        missed.append(f"by {plan.origin}")
    used = {step.agent for step in plan.steps}
    return missed + [f"agent {name}" for name in expect.get("agents", ()) if name not in used]


def _words_missed(expect: dict[str, Any], answer: str) -> list[str]:
    missed = []
    for word in expect.get("contains", ()):
        ways = word if isinstance(word, list) else [word]
        if not any(str(way).casefold() in answer for way in ways):
            missed.append(f"word {'|'.join(map(str, ways))}")
    return missed + [f"no {w}" for w in expect.get("absent", ()) if str(w).casefold() in answer]


def summary(grades: Sequence[Grade]) -> list[dict[str, Any]]:
    """Return the figures over all cases as rows of `what`, `value`, `of`."""
    asked = [each for each in grades if each.asks]
    planned = [each for each in asked if each.origin == "model"]
    done = sum(each.done for each in grades)
    seconds = sorted(each.seconds for each in grades)
    rows = [
        ("expectations met (tasks)", sum(not each.missed for each in grades), len(grades)),
        ("ended done (tasks)", sum(each.state == "done" for each in grades), len(grades)),
        ("waits for a model (tasks)", sum(each.state == "waiting" for each in grades), len(grades)),
        ("planned by rule (tasks)", sum(each.origin == "rule" for each in grades), len(grades)),
        ("plan asked of a model (tasks)", len(asked), len(grades)),
        ("valid at the first ask (plans)", sum(e.asks == 1 and e.valid for e in asked), len(asked)),
        ("repaired in code (plans)", sum(each.repaired for each in planned), len(planned)),
        ("re-asks (plans)", sum(each.asks - 1 for each in asked), len(asked)),
        (
            "took the fixed plan for want of one (tasks)",
            sum(e.fallback for e in grades),
            len(grades),
        ),
        ("verified (steps done)", sum(each.verified for each in grades), done),
        ("revised by the model (steps done)", sum(each.revisions for each in grades), done),
        ("median seconds (tasks)", round(seconds[len(seconds) // 2], 3) if seconds else 0, ""),
        ("tokens (tasks)", sum(each.tokens for each in grades), len(grades)),
    ]
    return [{"what": what, "value": value, "of": of} for what, value, of in rows]
