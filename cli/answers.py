"""A task's result for people: the answer on stdout, how it came to be beside it."""

from __future__ import annotations

import typer

from cli.graph import MARKS, tokens
from cli.output import clean, clean_block, console, pairs, readable
from shared.events.tasks import (
    WAITS_FOR_PERSON,
    StepResult,
    StepView,
    TaskResult,
    TaskState,
    TaskView,
)


def succeeded(result: TaskResult) -> bool:
    """Tell whether the task came to a good end."""
    return result.state == TaskState.DONE


def show_answer(result: TaskResult, *, err: bool) -> None:
    """Print the answer on stdout; the summary on stderr, or on stdout too without `err`."""
    if result.answer.strip():
        typer.echo(readable(clean_block(result.answer.strip("\n"))))
    typer.echo("", err=err)
    for line in summary(result):
        typer.echo(clean(line), err=err)


def summary(result: TaskResult) -> list[str]:
    """Return the lines that tell the state, what answered, and where the time went."""
    lines = [f"{MARKS.get(result.state, '?')} {result.state}: task {result.task_id}"]
    if result.reason is not None:
        lines.append(f"  {result.reason.code}: {result.reason.message}")
    lines.append(f"  {engine_note(result.engine, result.is_llm)}")
    if result.notice:
        lines.append(f"  {result.notice}")
    return [*lines, *map(_told, result.steps), f"  {_times(result)}"]


def _told(step: StepResult) -> str:
    """Return one step's agent, engine, tokens and time, and why it did not end well."""
    mark, engine = MARKS.get(step.state, "?"), step.engine or "no engine"
    head = f"  {mark} {step.step_id}: {step.agent}, {engine}"
    why = f" ({step.reason.code}: {step.reason.message})" if step.reason is not None else ""
    return f"{head}, {tokens(step.usage)} tokens, {step.seconds:.1f} s{why}"


def engine_note(engine: str, is_llm: bool) -> str:
    """Return who answered, never letting rules pass for a model."""
    if not engine:
        return "no engine was asked"
    return f"{engine}: a language model" if is_llm else f"{engine}: by rules, no language model"


def _times(result: TaskResult) -> str:
    timing = result.timing
    steps = "1 step" if len(result.steps) == 1 else f"{len(result.steps)} steps"
    parts = [steps, f"{timing.makespan_s:.1f} s"]
    if timing.speedup > 1 and len(result.steps) > 1:
        parts.append(f"{timing.step_seconds:.1f} s of work (speed-up {timing.speedup:.1f})")
    parts.append(f"{tokens(result.usage)} tokens")
    if result.cost_usd is not None:
        parts.append(f"{result.cost_usd} USD")
    return ", ".join(parts)


def show_task(view: TaskView | None, result: TaskResult | None) -> None:
    """Print all that is known of a task: head, steps, what is not in the answer, the answer."""
    from cli.progress import steps_table

    if view is not None:
        pairs(_head(view))
        if view.steps:
            typer.echo("")
            console().print(steps_table(view.steps))
    if result is None:
        return
    said = _lines(result.answer)
    for step in result.steps:
        _show_work(step)
        if step.reason is not None or not _lines(step.output) <= said:
            _show_step(step)
    if result.answer.strip():
        typer.echo("\nanswer\n")
    show_answer(result, err=False)


def _lines(text: str) -> set[str]:
    """Return what a text says, whatever the level of its headings and lists."""
    return {line.strip("#-> \t") for line in text.splitlines()}


def _head(view: TaskView) -> list[tuple[str, object]]:
    why = f" ({view.reason.code}: {view.reason.message})" if view.reason is not None else ""
    return [
        ("task", view.task_id),
        ("title", view.title),
        ("state", f"{view.state}{why}"),
        ("priority", str(view.priority)),
        ("plan by", view.plan_origin),
        ("engine", view.engine),
        ("session", view.session),
        ("created", f"{view.created_at.astimezone():%Y-%m-%d %H:%M:%S}"),
        ("updated", f"{view.updated_at.astimezone():%Y-%m-%d %H:%M:%S}"),
    ]


def _show_step(step: StepResult) -> None:
    head = f"\n{step.step_id}  {step.agent}  {step.state}  {step.seconds:.1f} s"
    typer.echo(f"{clean_block(head)}  {clean(engine_note(step.engine, step.is_llm))}")
    if step.reason is not None:
        typer.echo(f"  {clean(step.reason.code)}: {clean(step.reason.message)}")
    if step.output:
        shown = readable(clean_block(step.output.strip("\n")))
        typer.echo("  " + shown.replace("\n", "\n  "))


def _show_work(step: StepResult) -> None:
    """Print what a step did besides answering: calls of tools, files, and what a critic said."""
    for use in step.tools:
        failed = f": {use.reason.code}: {use.reason.message}" if use.reason else ""
        typer.echo(clean(f"{step.step_id} called {use.tool}{failed}"))
    for made in step.artifacts:
        get = f"sovereign task artifact {step.task_id} {made.name}"
        typer.echo(clean(f"{step.step_id} made {made.name}, {made.size} bytes: {get}"))
    if step.verified_by == "critic":
        word = {True: "verified", False: "refused", None: "not judged"}[step.verified]
        typer.echo(f"{step.step_id} {word} by the critic, {step.revisions} revisions")
    for objection in step.objections:
        typer.echo(clean(f"{step.step_id} objection: {objection}"))


def waiting_steps(view: TaskView) -> list[StepView]:
    """Return the steps that wait for a person's word."""
    waits = [step for step in view.steps if step.state == TaskState.WAITING]
    return [step for step in waits if step.reason is None or step.reason.code in WAITS_FOR_PERSON]
