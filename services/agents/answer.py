"""The one final answer of a task, put together by code from what its steps gave."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.agents.checks import check_data, parse_json
from shared.events.tasks import Plan, PlanStep, StepResult, TaskRequest, TaskState


def compose(task: TaskRequest, plan: Plan, results: Iterable[StepResult]) -> tuple[str, Any | None]:
    """Return the answer in Markdown, and data when the task asked for an `output_schema`.

    One leaf of the plan: its output. Several, or the parts of a question: a section for each,
    in the plan's order, the same text never twice. Steps that did not end well are named.
    """
    done = {result.step_id: result for result in results}
    shown = [step for step in plan.steps if step.id in _shown(plan)]
    if len(shown) == 1:
        result = done.get(shown[0].id)
        return _body(result), _data(task, result)
    return _sections(shown, done), None


def leaves(plan: Plan) -> set[str]:
    """Return the ids of the steps that no other step depends on."""
    used = {name for step in plan.steps for name in step.depends_on}
    return {step.id for step in plan.steps if step.id not in used}


def _shown(plan: Plan) -> set[str]:
    """Return the steps whose outputs make the answer; in a rule's plan every step is a part."""
    ends = leaves(plan)
    if plan.origin == "rule" and len(ends) > 1:
        return {step.id for step in plan.steps}
    return ends


def _sections(steps: list[PlanStep], done: dict[str, StepResult]) -> str:
    parts: list[str] = []
    seen: set[str] = set()
    for step in steps:
        body = _body(done.get(step.id))
        if body and body not in seen:
            seen.add(body)
            parts.append(f"## {step.title}\n\n{_lower_headings(body)}")
    return "\n\n".join(parts)


def _body(result: StepResult | None) -> str:
    """Return a step's output, or the line that says why there is none."""
    if result is None:
        return "_No result: this step did not run._"
    if result.state is TaskState.DONE:
        return result.output.strip()
    why = f": {result.reason.message}" if result.reason else ""
    return f"_No result: this step is {result.state.value}{why}_"


def _data(task: TaskRequest, result: StepResult | None) -> Any | None:
    """Return the leaf's data if the task asked for a schema and it is met."""
    if task.output_schema is None or result is None or result.state is not TaskState.DONE:
        return None
    data = result.data
    if data is None:
        try:
            data = parse_json(result.output)
        except (ValueError, RecursionError):
            return None
    return None if check_data(data, task.output_schema) else data


def _lower_headings(text: str) -> str:
    """Return Markdown whose headings stand under a `##`; code fences are left alone."""
    lines: list[str] = []
    fenced = False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith("```")
        hashes = len(line) - len(line.lstrip("#"))
        if not fenced and 1 <= hashes <= 2 and line[hashes : hashes + 1] == " ":
            line = "#" * (3 - hashes) + line
        lines.append(line)
    return "\n".join(lines)
