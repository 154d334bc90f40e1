"""A task told again from its journal: what was decided after each entry, and whether it follows."""

from __future__ import annotations

from markupsafe import Markup
from nicegui import ui

from services.dashboard.door.build import House
from services.dashboard.pages import parts, words
from services.dashboard.pages.visitor import may
from shared.errors import SovereignError
from shared.events import ReplayAsk, ReplayedResult, ReplayLine, TaskReplay

WITHIN_S = 30.0
SHOWN = 300


class Replayed:
    """The story of one task, once somebody asked for it; asking changes nothing."""

    def __init__(self, house: House, task_id: str) -> None:
        self._house = house
        self._task_id = task_id
        self.told: TaskReplay | None = None

    async def tell(self, _: str = "") -> None:
        """Have the crew read the journal again."""
        if not may(self._house, "view"):
            return
        try:
            ask = ReplayAsk(task_id=self._task_id)
            self.told = await self._house.reach.ask("agent.replay", ask, TaskReplay, WITHIN_S)
        except SovereignError as error:
            ui.notify(error.message, type="negative")


def replay_card(told: TaskReplay | None) -> Markup:
    """Return the story with its verdicts; nothing before it was asked for."""
    if told is None:
        return Markup("")
    verdicts = parts.join(_verdict(one) for one in told.results) or parts.note(
        f"Not ended: the task is {told.view.state.value}."
    )
    aside = Markup('<span class="muted num">{}, {}; no model was asked</span>').format(
        words.plural(told.calls, "model answer"), words.plural(told.starts, "start") + " of steps"
    )
    heads = ("Entry", "~After", "What", "State", "Then")
    table = parts.table(heads, [_row(line) for line in told.lines[-SHOWN:]])
    notes = Markup('<div class="stack" style="gap:6px;padding:0 16px 10px">{}</div>')
    return parts.card("Replay", notes.format(verdicts) + table, aside, flush=True)


def _verdict(result: ReplayedResult) -> Markup:
    run = f"Run {result.run}, {result.state.value}"
    if not result.stored:
        return parts.note(f"{run}: its result is no longer kept; there is nothing to compare.")
    if result.same:
        line = f"{run}: the stored result follows from the journal, byte for byte."
        return parts.note(line, "good")
    return parts.note(f"{run}: the stored result differs in {', '.join(result.differs)}.", "bad")


def _row(line: ReplayLine) -> Markup:
    what = ": ".join(part for part in (line.step_id or "", line.text) if part)
    cells = (
        parts.cell(line.kind.replace("_", " "), "name nowrap"),
        parts.cell(words.duration(line.seconds), "late num nowrap"),
        parts.cell(parts.line(what, 160), "wide"),
        parts.cell(parts.word(line.state.value)),
        parts.cell(parts.line("; ".join(line.decided), 160) if line.decided else words.DASH),
    )
    return parts.row(cells, f"replay-{line.seq}", "hit")
