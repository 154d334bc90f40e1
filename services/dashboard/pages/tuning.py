"""Recommendations put into force with one click, what they brought, and the way back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from markupsafe import Markup
from pydantic import ValidationError

from services.dashboard.door.build import House
from services.dashboard.pages import parts, words
from services.dashboard.pages.asked import Asked
from services.dashboard.pages.asking import done
from shared import events as e
from shared.bus import invalid
from shared.clock import now

WITHIN_S = 15.0
TEACH = (
    "A recommendation that you apply stands here, with what was measured before and after, and"
    " can be taken back."
)


def tuning(
    house: House, verb: str, changed: Asked[e.TuningChanges]
) -> Callable[[str], Awaitable[None]]:
    """Return what has the router apply a recommendation, or take a change back."""

    async def press(key: str) -> None:
        async def act(by: str) -> str:
            try:
                ask = e.TuningAsk(id=key, by=by)
            except ValidationError as error:
                raise invalid(error) from None
            made = await house.reach.ask(f"model.{verb}", ask, e.TuningChange, WITHIN_S)
            await changed.look()
            await house.reach.fresh("model.report")
            word = "is" if verb == "apply" else "is again"
            value = made.after if verb == "apply" else made.before
            return f"{made.setting} {word} {value}"

        await done(house, "operate", act)

    return press


def changes(known: e.TuningChanges, *, acts: bool) -> Markup:
    """Return what was changed, the latest first."""
    if not known.changes:
        return parts.card("Changes", parts.empty("None yet", TEACH), flush=True)
    heads = ("Change", "Setting", "State", "~Brought", "~>When", "")
    rows = [_change(one, acts=acts) for one in known.changes]
    return parts.card("Changes", parts.table(heads, rows), flush=True)


def _change(one: e.TuningChange, *, acts: bool) -> Markup:
    button = parts.act("rollback", one.id, "Roll back") if acts and one.state == "applied" else ""
    setting = Markup("{} {} → <b>{}</b>").format(
        parts.code(one.setting), words.cut(one.before, 40), words.cut(one.after, 40)
    )
    cells = (
        parts.cell(parts.line(one.title), "wide"),
        parts.cell(setting, "nowrap"),
        parts.cell(one.state.replace("_", " "), "soft nowrap"),
        parts.cell(_brought(one), "late soft nowrap"),
        parts.cell(words.ago(words.since(one.applied_at, now())), "late right num nowrap muted"),
        parts.cell(button, "right nowrap"),
    )
    return parts.row(cells, f"change-{one.id}", "hit")


def _brought(one: e.TuningChange) -> str:
    """Return the verdict with both measures; unknown stays unknown."""
    before = one.measured_before.value if one.measured_before else None
    after = one.measured_after.value if one.measured_after else None
    return f"{one.verdict}: {one.metric} {words.percent(before)} → {words.percent(after)}"
