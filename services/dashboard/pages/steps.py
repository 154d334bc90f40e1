"""The steps of a task: who did what, when, with which engine, and what came of it."""

from __future__ import annotations

from datetime import datetime

from markupsafe import Markup

from services.dashboard.crew import Crew
from services.dashboard.pages import parts, words
from services.dashboard.pages.markdown import prose
from services.dashboard.pages.tasklist import took
from services.dashboard.pages.used import used
from shared.clock import now
from shared.events import StepResult, StepView, TaskResult, TaskState, TaskView


def steps_card(view: TaskView | None, result: TaskResult | None, crew: Crew) -> Markup:
    """Return all steps on one time axis; each opens to what it wrote."""
    if view is None or not view.steps:
        return Markup("")
    start, end = _span(view)
    outputs = {step.step_id: step for step in (result.steps if result else ())}
    live = crew.live.get(view.task_id, {})
    rows = parts.join(
        _step(step, (start, end), outputs.get(step.id), live.get(step.id, ""))
        for step in view.steps
    )
    aside = Markup('<span class="muted num">{}</span>').format(words.duration(took(view)))
    return parts.card("Steps", rows, aside, flush=True)


def _span(view: TaskView) -> tuple[datetime, datetime]:
    starts = [step.started_at for step in view.steps if step.started_at]
    ends = [step.finished_at for step in view.steps if step.finished_at]
    running = any(_runs(step) for step in view.steps)
    start = min(starts, default=view.created_at)
    end = now() if running else max(ends, default=view.updated_at)
    return start, max(start, end)


def _step(
    step: StepView, span: tuple[datetime, datetime], output: StepResult | None, live: str
) -> Markup:
    return Markup(
        '<details class="step" id="step-{}"><summary><span class="twist">›</span>'
        '<span class="cut"><b style="font-weight:550">{}</b> <span class="muted">{}</span></span>'
        '{}<span class="late">{}</span><span class="num right muted late">{}</span></summary>'
        '<div class="inside">{}{}{}{}</div></details>'
    ).format(
        step.id, step.agent, words.cut(step.title, 120), parts.word(step.state.value),
        _gantt(step, span), words.duration(_seconds(step)), _reason(step), _text(output, live),
        used(output), _origin(step, output),
    )  # fmt: skip


def _seconds(step: StepView) -> float | None:
    if step.seconds is not None:
        return step.seconds
    if step.finished_at is None and not _runs(step):
        return None
    return words.since(step.started_at, step.finished_at or now())


def _runs(step: StepView) -> bool:
    return step.started_at is not None and step.state == TaskState.RUNNING


def _gantt(step: StepView, span: tuple[datetime, datetime]) -> Markup:
    start, end = span
    whole = max((end - start).total_seconds(), 0.001)
    if step.started_at is None:
        return Markup('<span class="gantt" style="display:block"></span>')
    left = max(0.0, (step.started_at - start).total_seconds()) / whole
    width = max(0.0, ((step.finished_at or end) - step.started_at).total_seconds()) / whole
    return Markup(
        '<span class="gantt" style="display:block"><i class="{}"'
        ' style="left:{:.1f}%;width:{:.1f}%"></i></span>'
    ).format(parts.tone(step.state.value), min(left, 0.99) * 100, min(width, 1 - left) * 100)


def _reason(step: StepView) -> Markup:
    if step.reason is None:
        return Markup("")
    return parts.note(f"{step.reason.message} ({step.reason.code})")


def _text(output: StepResult | None, live: str) -> Markup:
    if output is not None and output.output:
        return prose(output.output)
    if live:
        return Markup('<div class="plain">{}</div>').format(words.clean(live))
    return Markup('<div class="muted">{}</div>').format("Nothing written yet.")


def _origin(step: StepView, output: StepResult | None) -> Markup:
    """Return who made this, with the honest word on what kind of engine it was."""
    engine = output.engine if output else step.engine
    is_llm = output.is_llm if output else step.is_llm
    maker = f"{engine} {output.model if output else step.model}".strip() if engine else ""
    if engine and not is_llm:
        maker += ", rules and no language model"
    where = " on ".join(part for part in (step.worker, step.host) if part)
    tokens = f"{words.count(step.tokens)} tokens" if step.tokens else ""
    cached = f"cache {output.cache}" if output and output.cache else ""
    attempt = f"attempt {step.attempt}" if step.attempt > 1 else ""
    needs = "after " + ", ".join(step.depends_on) if step.depends_on else ""
    told = [part for part in (maker, tokens, cached, where, attempt, needs) if part]
    return Markup('<div class="muted" style="font-size:12.5px">{}</div>').format(" · ".join(told))
