"""One task: its plan, its steps as they run, its answer, and what a person may do with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import anyio
from markupsafe import Markup
from nicegui import ui

from services.dashboard.access.gate import Who
from services.dashboard.crew import Wait
from services.dashboard.door.build import House
from services.dashboard.journal import Line, entries
from services.dashboard.pages import parts, words
from services.dashboard.pages.dag import drawing
from services.dashboard.pages.markdown import prose
from services.dashboard.pages.record import journal_card
from services.dashboard.pages.replayed import Replayed, replay_card
from services.dashboard.pages.shell import Page, page
from services.dashboard.pages.steps import steps_card
from services.dashboard.pages.tasklist import took
from services.dashboard.pages.visitor import may, must
from shared.clock import now
from shared.errors import SovereignError
from shared.events import TaskControl, TaskResult, TaskState, TaskView
from shared.events.tasks import FINAL_STATES, WAITS_FOR_PERSON
from shared.runs import present

LOOK_S = 2.0
MOST_ENTRIES = 5000
Action = Literal["cancel", "approve", "reject", "retry"]


@dataclass
class Shown:
    """What the page knows of its task beyond the store."""

    house: House
    task_id: str
    read: TaskView | None = None
    result: TaskResult | None = None
    error: str = ""
    journal: list[Line] = field(default_factory=list)

    @property
    def view(self) -> TaskView | None:
        """The latest view: the store's, else what was read when the page was opened."""
        return self.house.store.crew.tasks.get(self.task_id) or self.read

    async def look(self) -> None:
        """Read the view once and the result until it is there."""
        try:
            if self.view is None:
                self.read = await self.house.desk.view(self.task_id)
            self.result = present(self.view, self.result)
            if self.result is None and (self.view is None or self.view.state in FINAL_STATES):
                found = await self.house.desk.result(self.task_id)
                self.result = present(self.view, found)
            await self._read_on()
            self.error = ""
        except SovereignError as error:
            self.error = error.message

    async def _read_on(self) -> None:
        """Read what the journal has gained."""
        if self.view is not None and len(self.journal) < MOST_ENTRIES:
            after = self.journal[-1].seq if self.journal else 0
            self.journal += await entries(self.house.bus, self.task_id, after)


async def build(house: House, task_id: str) -> None:
    """Build the page."""
    shown = Shown(house, task_id)
    with anyio.move_on_after(LOOK_S):
        await shown.look()
    title = words.cut(shown.view.title, 60) if shown.view else "Task"
    with page(house, "Task", "/dashboard/tasks") as frame:
        ui.page_title(f"{title} · {house.settings.dashboard.name}")
        frame.live(lambda: heading(shown))
        _buttons(frame, shown)
        frame.live(lambda: plan(shown))
        frame.live(lambda: answer(shown))
        frame.live(lambda: steps_card(shown.view, shown.result, house.store.crew))
        frame.live(lambda: files_card(shown))
        frame.live(lambda: details(shown))
        again = Replayed(house, task_id)
        record = frame.live(
            lambda: journal_card(shown.journal, task_id) if shown.view else Markup("")
        )
        record.acts({"replay": again.tell})
        frame.live(lambda: replay_card(again.told))
    ui.timer(LOOK_S, shown.look)


def heading(shown: Shown) -> Markup:
    """Return title, state and why it waits or failed."""
    view = shown.view
    if view is None:
        return _unknown(shown)
    title = Markup('<h2 style="font-size:17px;overflow-wrap:anywhere">{}</h2>').format(
        words.cut(view.title, 300)
    )
    if len(view.title) > 300:
        title += Markup(
            '<details><summary class="link">the whole title</summary><div class="plain">{}</div>'
            "</details>"
        ).format(words.clean(view.title))
    line = Markup(
        '<div class="legend" style="margin-top:6px">{} <span>{} priority</span><span>{}</span>'
        '<span class="num">{}</span></div>'
    ).format(
        parts.word(view.state.value), view.priority.value,
        f"handed in {words.ago(words.since(view.created_at, now()))}",
        _worked(view),
    )  # fmt: skip
    return Markup('<div class="card">{}{}{}</div>').format(title, line, _reasons(shown, view))


def _worked(view: TaskView) -> str:
    seconds = took(view)
    if view.state in FINAL_STATES:
        return f"took {words.duration(seconds)}"
    return "no work done yet" if seconds is None else f"{words.duration(seconds)} of work so far"


def _unknown(shown: Shown) -> Markup:
    if shown.error:
        return parts.note(f"Cannot be read now: {shown.error}", "bad")
    body = parts.empty("No such task", f"Nobody on this bus knows a task {shown.task_id}.")
    return parts.card("Task", body, flush=True)


def _reasons(shown: Shown, view: TaskView) -> Markup:
    crew = shown.house.store.crew
    lines = [
        parts.note(f"{wait.step_id or 'the task'} waits: {wait.message}")
        for wait in crew.waits.values()
        if wait.task_id == view.task_id and view.state not in FINAL_STATES
    ]
    if view.reason is not None:
        bad = "bad" if view.state in (TaskState.FAILED, TaskState.REJECTED) else ""
        lines.append(parts.note(f"{view.reason.message} ({view.reason.code})", bad))
    if not lines:
        return Markup("")
    return Markup('<div class="stack" style="gap:6px;margin-top:10px">{}</div>').format(
        parts.join(lines)
    )


def plan(shown: Shown) -> Markup:
    """Return the drawing of the plan, or that there is none yet."""
    view = shown.view
    if view is None:
        return Markup("")
    if not view.steps:
        waiting = "The manager has not planned this task yet."
        ended = "It ended before there was a plan."
        text = ended if view.state in FINAL_STATES else waiting
        return parts.card("Plan", parts.empty("No steps", text), flush=True)
    aside = Markup('<span class="muted">{}</span>').format(
        f"planned by {view.plan_origin}" if view.plan_origin else ""
    )
    return parts.card("Plan", drawing(view.steps), aside)


def answer(shown: Shown) -> Markup:
    """Return the final answer as its author wrote it, labelled with what made it."""
    result = shown.result
    if result is None:
        return Markup("")
    text = result.answer or "(no text)"
    kind = _maker(result)
    whole = Markup('<a class="link" href="/tasks/{}">everything as JSON</a>').format(shown.task_id)
    return parts.card("Answer", prose(text), Markup("{} {}").format(kind, whole))


def _maker(result: TaskResult) -> Markup:
    if not result.engine:
        return Markup("")
    if result.is_llm:
        return parts.pill(f"written by {result.engine}", "good")
    return parts.pill(f"{result.engine}: rules, no language model", "warn hollow")


def files_card(shown: Shown) -> Markup:
    """Return the files that the task made; nothing without any."""
    found = shown.result.artifacts if shown.result else ()
    if not found:
        return Markup("")
    rows = parts.join(
        Markup(
            '<a class="row-item" href="/tasks/{}/artifacts/{}" download>'
            '<span class="grow">{}</span>'
            '<span class="soft late">{}</span><span class="muted num">{}</span></a>'
        ).format(shown.task_id, one.name, one.name, one.media_type, words.memory_small(one.size))
        for one in found
    )
    return parts.card("Files", Markup('<div class="rows">{}</div>').format(rows), flush=True)


def details(shown: Shown) -> Markup:
    """Return ids, times and costs."""
    view, result = shown.view, shown.result
    if view is None:
        return Markup("")
    pairs: list[tuple[str, Markup | str]] = [
        ("Task", parts.code(view.task_id)),
        ("Session", parts.code(view.session) if view.session else words.DASH),
        ("Handed in", f"{view.created_at.astimezone():%Y-%m-%d %H:%M:%S}"),
    ]
    if result is not None:
        pairs += _costs(result)
    return parts.card("Details", parts.facts(pairs))


def _costs(result: TaskResult) -> list[tuple[str, Markup | str]]:
    timing, usage = result.timing, result.usage
    tokens = f"{words.count(usage.prompt_tokens)} in, {words.count(usage.completion_tokens)} out"
    speed = f"{timing.speedup:.2f} × (sum of steps {words.duration(timing.step_seconds)})"
    rows: list[tuple[str, Markup | str]] = [
        ("Queued", words.duration(timing.queued_s)),
        ("Planning", words.duration(timing.planning_s)),
        ("Working", words.duration(timing.makespan_s)),
        *((("Speed-up", speed),) if timing.speedup >= 1 and len(result.steps) > 1 else ()),
        ("Tokens", tokens if result.is_llm else "none: no language model was asked"),
        ("Model calls", f"{usage.calls}, {usage.cached_calls} from the cache"),
        ("Cost", words.dollars(result.cost_usd)),
    ]
    if result.notice:
        rows.append(("Notice", words.clean(result.notice)))
    return rows


def _buttons(frame: Page, shown: Shown) -> None:
    """Add what a person may do; what makes no sense now is hidden."""
    if not may(shown.house, "submit"):
        return
    with ui.element("div").classes("chips") as bar:
        cancel = _button("Cancel", shown, "cancel", "danger")
        approve = _button("Approve", shown, "approve", "primary")
        reject = _button("Reject", shown, "reject", "danger")
        retry = _button("Try again", shown, "retry", "")

    def show() -> None:
        view = shown.view
        state = view.state if view else None
        asks = [wait for wait in _waits(shown) if wait.code in WAITS_FOR_PERSON]
        cancel.set_visibility(state is not None and state not in FINAL_STATES)
        approve.set_visibility(bool(asks) and state not in FINAL_STATES)
        reject.set_visibility(bool(asks) and state not in FINAL_STATES)
        retry.set_visibility(state in (TaskState.FAILED, TaskState.CANCELLED))
        bar.set_visibility(state is not None and state != TaskState.DONE)

    show()
    frame.parts.append(show)


def _button(text: str, shown: Shown, action: Action, kind: str) -> ui.button:
    async def press() -> None:
        await _speak(shown, action)

    return ui.button(text, on_click=press, color=None).props("flat no-caps").classes(f"btn {kind}")


async def _speak(shown: Shown, action: Action) -> None:
    asks = [wait.step_id for wait in _waits(shown) if wait.code in WAITS_FOR_PERSON]
    step = asks[0] if asks and action in ("approve", "reject") else None
    try:
        who = must(shown.house, "submit")
        word = TaskControl(action=action, task_id=shown.task_id, step=step, by=_by(who))
        await shown.house.desk.control(word)
    except SovereignError as error:
        ui.notify(error.message, type="negative")
    else:
        ui.notify(f"{action}: sent", type="positive")
        if action == "retry":
            shown.result = None


def _by(who: Who) -> str:
    return "dashboard" if who.kind == "owner" else who.name


def _waits(shown: Shown) -> list[Wait]:
    waits = shown.house.store.crew.waits.values()
    return [wait for wait in waits if wait.task_id == shown.task_id]
