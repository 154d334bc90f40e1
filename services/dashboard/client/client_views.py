"""What a client sees: its needs, who fits and why, its deals."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from services.dashboard.client.frame import (
    area,
    button,
    card,
    chips,
    form,
    join,
    money,
    plain,
    prose,
    text,
    tick,
)  # fmt: skip
from services.dashboard.pages import words
from shared.events import Deal, MatchFound, MatchScore, Need, PartyReply, ScorePart
from shared.ids import ulid

WORDS = {
    "proposed": "proposed to you", "shortlisted": "on your short list",
    "offered": "waits for the provider's answer", "accepted": "the provider said yes",
    "active": "work goes on", "delivered": "delivered", "invoiced": "invoiced", "paid": "paid",
    "closed": "closed", "declined": "the provider said no", "withdrawn": "taken back",
    "expired": "the offer's term ended", "cancelled": "cancelled", "disputed": "in dispute",
    "refunded": "refunded",
}  # fmt: skip
GOOD = frozenset({"accepted", "active", "delivered", "invoiced", "paid", "closed"})
BAD = frozenset({"declined", "expired", "cancelled", "disputed"})
LINES = 4
"""Reasons that stand without a click."""


@dataclass(frozen=True)
class View:
    """What every piece of the page needs: the holder's mark, and the currency unless named."""

    mark: str
    currency: str


def home(reply: PartyReply, view: View) -> Markup:
    """Return the needs, the open first, each with its deals."""
    needs = sorted(reply.needs, key=lambda need: not need.active)
    items = join(_need_card(need, reply.deals, view) for need in needs)
    empty = Markup(
        '<p class="muted">Say what you need; you will see who fits, and the reasons.</p>'
    )
    return Markup(
        '<div class="headline"><h1>Your needs</h1><a class="btn primary" href="/match/need">'
        "State a need</a></div>{}"
    ).format(items or empty)


def _need_card(need: Need, deals: tuple[Deal, ...], view: View) -> Markup:
    own = [deal for deal in deals if deal.need_id == need.need_id]
    head = Markup('<h2><a href="/match/need/{}">{}</a></h2>').format(
        need.need_id, words.cut(need.title, 160)
    )
    facts = Markup('<p class="muted">{}{}</p>').format(
        _terms(need), "" if need.active else " · closed"
    )
    return card(head, facts, chips(need.required), join(_deal_row(deal, view) for deal in own))


def _terms(need: Need) -> str:
    if need.budget is None:
        return "no budget named"
    if need.hours is None:
        return f"at most {money(need.budget)} a unit"
    return f"{money(need.budget)} for {need.hours:g} hours"


def _deal_row(deal: Deal, view: View) -> Markup:
    tone = "good" if deal.state in GOOD else "bad" if deal.state in BAD else "info"
    return Markup(
        '<div class="row"><span class="grow"><b>{}</b> · {}<br><span class="word {}">{}</span>'
        "</span>{}</div>"
    ).format(deal.provider_id, money(deal.amount), tone, WORDS[deal.state], _acts(deal, view))


def _acts(deal: Deal, view: View) -> Markup:
    """Return what the client may do with a deal now."""
    acts = []
    if deal.state in ("proposed", "shortlisted"):
        label = button("Accept, send the offer", "primary")
        acts.append(form("accept", view.mark, label, deal_id=deal.deal_id, key=ulid()))
    if deal.state in ("proposed", "shortlisted", "offered"):
        label = button("Take back")
        acts.append(form("withdraw", view.mark, label, deal_id=deal.deal_id, key=ulid()))
    return Markup('<span class="acts">{}</span>').format(join(acts)) if acts else Markup("")


def matches(reply: PartyReply, need: Need, view: View) -> Markup:
    """Return a need with who fits, and who was ruled out."""
    found = reply.found or MatchFound(need_id=need.need_id)
    fits = [one for one in found.scores if not one.blockers]
    out = [one for one in found.scores if one.blockers]
    own = [deal for deal in reply.deals if deal.need_id == need.need_id]
    taken = {deal.provider_id for deal in own if deal.state not in BAD | {"withdrawn"}}
    return join(
        (
            _need_head(need),
            card(Markup("<h2>Your deals for it</h2>"), *(_deal_row(d, view) for d in own))
            if own
            else Markup(""),
            Markup('<h2 class="part">Who fits</h2><p class="muted">{} considered, {} ruled out. {}'
                   "</p>").format(found.considered, found.blocked, found.notice),
            join(_match(one, need, view, one.provider_id in taken) for one in fits)
            or Markup('<p class="muted">Nobody yet. What rules people out stands below.</p>'),
            _ruled_out(out),
        )
    )  # fmt: skip


def _need_head(need: Need) -> Markup:
    return Markup(
        '<div class="headline"><h1>{}</h1><a class="btn" href="/match/need/{}/edit">Change</a>'
        '</div><p class="muted">{}</p>{}{}'
    ).format(
        words.cut(need.title, 200), need.need_id, _terms(need), chips(need.required),
        prose(need.text),
    )  # fmt: skip


def _match(one: MatchScore, need: Need, view: View, taken: bool) -> Markup:
    head = Markup(
        '<div class="score"><span class="big">{:.0f}</span><span class="grow"><b>{}</b><br>'
        '<span class="muted">you {:.0f} · they {:.0f} · {:.0f} % is known</span></span></div>'
        '<progress max="100" value="{:.0f}">{:.0f} of 100</progress>'
    ).format(
        100 * one.total, one.provider_name or one.provider_id, 100 * one.client_view,
        100 * one.provider_view, 100 * one.confidence, 100 * one.total, 100 * one.total,
    )  # fmt: skip
    known = [part for part in one.parts if part.value is not None and part.view == "client"]
    strong = sorted(known, key=lambda part: -part.weight)[:LINES]
    return card(
        head, _lines("", [part.reason for part in strong]), _lines("better", one.hints),
        _every_part(one), Markup("") if taken else _accept(one, need, view),
    )  # fmt: skip


def _lines(kind: str, lines: object) -> Markup:
    rows = join(Markup("<li>{}</li>").format(line) for line in lines)  # type: ignore[attr-defined]
    return Markup('<ul class="{}">{}</ul>').format(kind, rows) if rows else Markup("")


def _every_part(one: MatchScore) -> Markup:
    rows = join(_part(part) for part in one.parts)
    unknown = _lines("unknown", [f"not known: {line}" for line in one.missing])
    return Markup(
        '<details><summary>Every reason</summary><div class="scroll"><table><tr><th>part</th>'
        '<th>whose view</th><th class="num">points</th><th class="num">weight</th><th>why</th></tr>'
        "{}</table></div>{}</details>"
    ).format(rows, unknown)


def _part(part: ScorePart) -> Markup:
    points = words.DASH if part.value is None else f"{100 * part.value:.0f}"
    return Markup(
        '<tr><td>{}</td><td>{}</td><td class="num">{}</td><td class="num">{:.0f} %</td>'
        "<td>{}</td></tr>"
    ).format(
        part.name, "yours" if part.view == "client" else "theirs", points, 100 * part.weight,
        part.reason,
    )  # fmt: skip


def _accept(one: MatchScore, need: Need, view: View) -> Markup:
    whole = plain(need.budget) if need.hours else ""
    ask = text(
        f"amount-{one.provider_id}", "For the whole work", whole, f"like 1600 {view.currency}",
        inputmode="decimal", required="", maxlength="40",
    )  # fmt: skip
    inside = ask + button("Accept, send the offer", "primary")
    hidden = {"need_id": need.need_id, "provider_id": one.provider_id, "key": ulid()}
    return Markup("<details><summary>Accept this match</summary>{}</details>").format(
        form("accept", view.mark, inside, **hidden)
    )


def _ruled_out(out: list[MatchScore]) -> Markup:
    rows = join(
        Markup("<li><b>{}</b>: {}</li>").format(
            one.provider_name or one.provider_id, "; ".join(one.blockers)
        )
        for one in out
    )
    if not rows:
        return Markup("")
    return Markup('<h2 class="part">Ruled out</h2><ul class="out">{}</ul>').format(rows)


def need_form(need: Need | None, given: dict[str, str], view: View) -> Markup:
    """Return the form of a need: empty, of one that stands, or as it was just sent."""
    known = given or _known(need)
    rows = (
        text("title", "What is needed, in one line", known.get("title", ""), required="",
             maxlength="500"),
        area("text", "More about it", known.get("text", "")),
        text("required", "Skills that must be there", known.get("required", ""),
             "between commas; who lacks one is ruled out", maxlength="2000"),
        text("nice", "Skills that are welcome", known.get("nice", ""), maxlength="2000"),
        text("sectors", "Sectors", known.get("sectors", ""), maxlength="2000"),
        text("languages", "Languages", known.get("languages", ""), maxlength="500"),
        tick("must_speak", "who does not speak them is ruled out", "must_speak" in known),
        text("budget", "Budget", known.get("budget", ""),
             f"like 80.50 {view.currency}: the highest rate; with hours, the whole sum",
             inputmode="decimal", maxlength="40"),
        text("hours", "Hours of work", known.get("hours", ""), inputmode="decimal", maxlength="12"),
        text("openings", "How many providers", known.get("openings", "1"), inputmode="numeric",
             maxlength="4"),
        tick("closed", "close this need", "closed" in known) if need else Markup(""),
        button("Show who fits", "primary"),
    )  # fmt: skip
    title = "Change the need" if need else "State a need"
    hidden = {"need_id": need.need_id} if need else {"key": given.get("key") or ulid()}
    return Markup("<h1>{}</h1>{}").format(
        title, card(Markup(""), form("need", view.mark, join(rows), **hidden))
    )


def _known(need: Need | None) -> dict[str, str]:
    if need is None:
        return {}
    known = {
        "title": need.title, "text": need.text, "required": ", ".join(need.required),
        "nice": ", ".join(need.nice), "sectors": ", ".join(need.sectors),
        "languages": ", ".join(need.languages), "budget": plain(need.budget),
        "hours": f"{need.hours:g}" if need.hours else "", "openings": str(need.openings),
    }  # fmt: skip
    if any(rule.field == "language" and rule.hard for rule in need.constraints):
        known["must_speak"] = "on"
    return known if need.active else known | {"closed": "on"}
