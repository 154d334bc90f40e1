"""The crew: who works on what now, where, and how it went so far."""

from __future__ import annotations

from collections import Counter

import anyio
from markupsafe import Markup
from nicegui import ui

from services.dashboard.door.build import House
from services.dashboard.pages import parts, words
from services.dashboard.pages.queues import Queues, queues
from services.dashboard.pages.shell import page
from services.dashboard.store import Store
from services.dashboard.vitals import UP
from shared.clock import now
from shared.events import AgentInfo, AgentRoster, StepView, TaskState, TaskView
from shared.events.tasks import FINAL_STATES
from shared.streams import AGENTS

EVERY_S = 3.0
FIRST_S = 1.0
ABOUT = {
    "strategist": "breaks a goal down, weighs options, sets the order",
    "builder": "writes and makes what was decided",
    "optimizer": "makes what exists faster, smaller, cheaper",
    "deployer": "brings it to where it runs, and back",
    "analyzer": "reads, measures, compares, finds causes",
}


async def build(house: House) -> None:
    """Build the page."""
    waiting = Queues(house.bus)
    with anyio.move_on_after(FIRST_S):
        await waiting.look()
    with page(house, "Agents", "/dashboard/agents") as shown:
        shown.live(lambda: cards(house.store), "five")
        shown.live(lambda: at_work(house.store))
        shown.live(lambda: queues(waiting))
        shown.live(lambda: definitions(house.store))
    ui.timer(EVERY_S, waiting.look)


def cards(store: Store) -> Markup:
    """Return one card an agent."""
    roster: AgentRoster | None = store.report("agent.status")
    told = {one.name: one for one in (roster.agents if roster else ())}
    return parts.join(
        _card(name, store, told.get(name)) for name in dict.fromkeys((*AGENTS, *told))
    )


def occupied(store: Store, name: str) -> tuple[int, int]:
    """Return busy and total slots of one agent over all processes that beat."""
    at = store.seen_at()
    busy = total = 0
    for one in store.vitals.of("agents"):
        agents = one.beat.info.get("agents")
        mine = agents.get(name) if isinstance(agents, dict) else None
        if one.state(at) in UP and isinstance(mine, dict):
            busy += int(mine.get("busy") or 0)
            total += int(mine.get("slots") or 0)
    return busy, total


def _card(name: str, store: Store, info: AgentInfo | None) -> Markup:
    busy, total = occupied(store, name)
    state = "working" if busy else "ready" if total else "missing"
    kind = "info" if busy else "good" if total else "bad"
    body = Markup('<p class="muted">{}</p>{}{}').format(
        words.cut(info.description if info and info.description else ABOUT.get(name, ""), 140),
        Markup(
            '<div style="margin:auto 0 10px;padding-top:8px">{} '
            '<span class="muted num">{}</span></div>'
        ).format(
            parts.slots(busy, total),
            f"{busy} of {total} slots busy" if total else "no process heard",
        ),
        _record(store, name, info),
    )
    return parts.card(name.capitalize(), body, parts.pill(state, kind))


def _record(store: Store, name: str, info: AgentInfo | None) -> Markup:
    seen = _steps(store, name)
    states = Counter(step.state for _, step in seen)
    done = info.done if info else states[TaskState.DONE]
    failed = info.failed if info else states[TaskState.FAILED]
    seconds = [step.seconds for _, step in seen if step.seconds is not None]
    mean = sum(seconds) / len(seconds) if seconds else None
    return parts.facts(
        [
            ("Steps done", f"{words.count(done)}, {words.count(failed)} failed"),
            ("A step takes", words.duration(mean)),
            ("Model", words.cut(info.model, 60) if info and info.model else "default"),
        ]
    )


def at_work(store: Store) -> Markup:
    """Return every step that runs or waits now."""
    active = (TaskState.RUNNING, TaskState.WAITING)
    found = [
        (view, step)
        for view in store.crew.latest(200)
        if view.state not in FINAL_STATES
        for step in view.steps
        if step.state in active
    ]
    if not found:
        teach = "Steps that run or wait stand here, each with its task, its worker and its host."
        return parts.card("At work", parts.empty("Nobody is busy", teach), flush=True)
    rows = [_row(view, step) for view, step in found]
    heads = ("Agent", "State", "Task", "~Worker", "~Host", ">For")
    return parts.card("At work", parts.table(heads, rows), flush=True)


def definitions(store: Store) -> Markup:
    """Return each agent's file as it is in force, and what is wrong with others."""
    roster: AgentRoster | None = store.report("agent.status")
    if roster is None:
        return Markup("")
    rows = [_definition(one) for one in roster.agents if one.definition]
    faults = [
        parts.note(f"{words.cut(name, 60)} is left out: {words.cut(why, 300)}", "bad")
        for name, why in roster.faults.items()
    ]
    return parts.join(faults) + (
        parts.card("As they are defined", parts.join(rows), flush=True) if rows else ""
    )


def _definition(one: AgentInfo) -> Markup:
    return Markup(
        '<details class="step" id="definition-{0}"><summary class="plainly">'
        '<span class="muted">yaml</span><span class="cut"><b style="font-weight:550">{0}</b>'
        ' <span class="muted">{1}</span></span><span class="muted nowrap late">{2}</span></summary>'
        '<div class="inside"><div class="plain">{3}</div></div></details>'
    ).format(
        one.name, words.cut(", ".join(one.tools) or "no tools", 100),
        words.cut(one.model or "default model", 60), words.clean(one.definition),
    )  # fmt: skip


def _row(view: TaskView, step: StepView) -> Markup:
    cells = (
        parts.cell(step.agent, "name"),
        parts.cell(parts.word(step.state.value)),
        parts.cell(parts.task_link(view.task_id, view.title), "wide"),
        parts.cell(words.cut(step.worker, 30) or words.DASH, "late soft nowrap"),
        parts.cell(step.host or words.DASH, "late soft nowrap"),
        parts.cell(words.duration(words.since(step.started_at, now())), "right num nowrap"),
    )
    return parts.row(cells, f"work-{view.task_id}-{step.id}", "hit")


def _steps(store: Store, name: str) -> list[tuple[TaskView, StepView]]:
    return [(view, step) for view in store.crew.latest(500) for step in view.steps
            if step.agent == name]  # fmt: skip
