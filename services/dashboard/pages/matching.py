"""The best providers for one need, with reasons; and the steps of a deal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from markupsafe import Markup
from pydantic import ValidationError

from services.dashboard.door.build import House
from services.dashboard.pages import parts, words
from services.dashboard.pages.asked import Asked
from services.dashboard.pages.asking import done
from services.dashboard.pages.shell import Page
from services.dashboard.pages.visitor import may
from shared import events as e
from shared.bus import invalid
from shared.ids import ulid

BEST = 10
WITHIN_S = 10.0
NEXT = {
    "proposed": ("offered", "Offer"), "shortlisted": ("offered", "Offer"),
    "offered": ("accepted", "Accept"), "accepted": ("active", "Begin"),
    "active": ("delivered", "Delivered"), "delivered": ("invoiced", "Invoice"),
}  # fmt: skip
"""The usual next step of a deal; match itself decides what may follow."""
OPEN = frozenset({"proposed", "shortlisted", "offered"})


async def build(shown: Page, pool: Asked[e.MatchList], need_id: str) -> None:
    """Add the matches of one need, with a button that proposes a deal."""
    ask = e.MatchFind(need_id=need_id, limit=BEST, blocked=True)
    found = Asked(shown, "match.find", ask, e.MatchFound)
    await found.follow()
    acts = may(shown.house, "submit")
    card = shown.live(lambda: found.shown("Matches", lambda known: matches(known, acts=acts)))
    if acts:
        card.acts({"propose": _proposing(shown.house, pool, need_id)})


def matches(known: e.MatchFound, *, acts: bool) -> Markup:
    """Return the pairs, the best first, each with what speaks for and against it."""
    close = Markup('<a class="link" href="/dashboard/match">close</a>')
    title = f"Matches for {words.cut(known.need_id, 60)}"
    if not known.scores:
        why = known.notice or f"{words.plural(known.considered, 'provider')} considered, none fits."
        return parts.card(title, parts.empty("None", words.cut(why, 300)), close, flush=True)
    rows = parts.join(
        _score(one, acts=acts, first=place == 0) for place, one in enumerate(known.scores)
    )
    return parts.card(title, rows, close, flush=True)


def _score(one: e.MatchScore, *, acts: bool, first: bool = False) -> Markup:
    button = parts.act("propose", one.provider_id, "Propose a deal", "primary")
    return Markup(
        '<details class="step" id="match-{}" {}><summary class="plainly"><b class="num">{}</b>'
        '<span class="cut"><b style="font-weight:550">{}</b> <span class="muted">{}</span></span>'
        '<span class="nowrap">{}</span></summary><div class="inside">{}{}</div></details>'
    ).format(
        one.provider_id, "open" if first else "", words.percent(one.total),
        words.cut(one.provider_name or one.provider_id, 80),
        f"{words.percent(one.confidence)} of it is known", button if acts and not one.blockers
        else "", _blockers(one), _reasons(one),
    )  # fmt: skip


def _blockers(one: e.MatchScore) -> Markup:
    return parts.join(parts.note(words.cut(line, 300), "bad") for line in one.blockers)


def _reasons(one: e.MatchScore) -> Markup:
    pairs = [
        (f"{part.name.replace('_', ' ')} ({part.view})",
         Markup("{} <span class='muted'>{}</span>").format(
             "" if part.value is None else words.percent(part.value),
             words.cut(part.reason, 240)))
        for part in one.parts
    ]  # fmt: skip
    hints = [("would help", words.cut(hint, 240)) for hint in one.hints]
    return parts.facts([*pairs, *hints])


def buttons(deal: e.Deal) -> Markup:
    """Return the steps that a person may take with a deal now."""
    step = NEXT.get(deal.state)
    shown = parts.act("move", f"{deal.deal_id}/{step[0]}", step[1]) if step else Markup("")
    if deal.state in OPEN:
        shown += parts.act("move", f"{deal.deal_id}/declined", "Decline")
    return shown


def _proposing(
    house: House, pool: Asked[e.MatchList], need_id: str
) -> Callable[[str], Awaitable[None]]:
    """Return what opens a deal between the need and a provider, at the need's budget."""
    key = ulid()

    async def propose(provider_id: str) -> None:
        needs = pool.value.needs if pool.value else ()
        budget = next((need.budget for need in needs if need.need_id == need_id), None)
        fields = {
            "action": "open", "need_id": need_id, "provider_id": provider_id, "amount": budget,
            "key": f"{key}-{provider_id}"[:64],
        }  # fmt: skip
        await done(house, "submit", lambda by: _act(house, pool, {**fields, "actor": by}))

    return propose


def moving(house: House, pool: Asked[e.MatchList]) -> Callable[[str], Awaitable[None]]:
    """Return what takes a deal one step on."""

    async def move(key: str) -> None:
        deal_id, _, to = key.partition("/")
        fields = {"action": "move", "deal_id": deal_id, "to": to, "key": ulid()}
        await done(house, "submit", lambda by: _act(house, pool, {**fields, "actor": by}))

    return move


async def _act(house: House, pool: Asked[e.MatchList], fields: dict[str, object]) -> str:
    """Ask match, then read the board anew."""
    try:
        ask = e.DealAsk.model_validate(fields)
    except ValidationError as error:
        raise invalid(error) from None
    reply = await house.reach.ask("match.deal", ask, e.DealReply, WITHIN_S)
    await pool.look()
    return f"the deal is {reply.deal.state}" if reply.deal else "done"
