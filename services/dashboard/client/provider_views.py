"""What a provider sees: offers to answer, its work, its profile."""

from __future__ import annotations

from decimal import Decimal

from markupsafe import Markup

from services.dashboard.client.client_views import BAD, GOOD, View
from services.dashboard.client.frame import (
    area,
    button,
    card,
    chips,
    choice,
    form,
    join,
    money,
    plain,
    prose,
    text,
    tick,
)  # fmt: skip
from services.dashboard.pages import words
from shared.events import Deal, Need, PartyReply, Profile
from shared.ids import ulid

WORDS = {
    "offered": "waits for your answer", "accepted": "you said yes", "active": "you are at work",
    "delivered": "delivered", "invoiced": "invoiced", "paid": "paid by the client",
    "closed": "closed", "declined": "you said no", "withdrawn": "taken back by the client",
    "expired": "the offer's term ended", "cancelled": "cancelled", "disputed": "in dispute",
    "refunded": "refunded",
}  # fmt: skip
ANSWERS = {
    "offered": (("accepted", "Accept", "primary"), ("declined", "Decline", "")),
    "accepted": (("active", "Work has begun", "primary"),),
    "active": (("delivered", "It is delivered", "primary"),),
}
"""What a provider may say to a deal in a state."""


def home(reply: PartyReply, view: View) -> Markup:
    """Return the offers first, then the work, then the profile."""
    needs = {need.need_id: need for need in reply.needs}
    open_ones = [deal for deal in reply.deals if deal.state in ANSWERS]
    rest = [deal for deal in reply.deals if deal.state not in ANSWERS]
    offers = join(_offer(deal, needs.get(deal.need_id), view) for deal in open_ones)
    past = join(_past(deal, needs.get(deal.need_id)) for deal in rest)
    return join(
        (
            Markup("<h1>Your offers</h1>"),
            offers or Markup('<p class="muted">No offer waits for you.</p>'),
            Markup('<h2 class="part">Earlier</h2>') + card(Markup(""), past) if past else past,
            _profile(reply.profile),
        )
    )


def _offer(deal: Deal, need: Need | None, view: View) -> Markup:
    title = need.title if need else deal.need_id
    head = Markup('<h2>{}</h2><p class="muted">{}</p>').format(words.cut(title, 200), _pay(deal))
    about = chips(need.required) + prose(need.text) if need else Markup("")
    answers = join(
        form("answer", view.mark, button(label, kind), deal_id=deal.deal_id, to=to, key=ulid())
        for to, label, kind in ANSWERS[deal.state]
    )
    state = Markup('<p><span class="word {}">{}</span>{}</p>').format(
        "good" if deal.state in GOOD else "info", WORDS[deal.state], _term(deal)
    )
    return card(head, about, state, Markup('<div class="acts">{}</div>').format(answers))


def _pay(deal: Deal) -> str:
    """Return what the client pays and what is kept of it: fees are told before a yes."""
    share = f"{(deal.rate * Decimal(100)).normalize():f} %"
    return f"{money(deal.amount)} from {deal.client_id}, of which {share} is commission"


def _term(deal: Deal) -> str:
    if deal.state != "offered" or deal.expires_at is None:
        return ""
    return f" until {deal.expires_at:%Y-%m-%d %H:%M} UTC"


def _past(deal: Deal, need: Need | None) -> Markup:
    tone = "good" if deal.state in GOOD else "bad" if deal.state in BAD else "info"
    return Markup(
        '<div class="row"><span class="grow"><b>{}</b><br><span class="word {}">{}</span></span>'
        '<span class="num">{}</span></div>'
    ).format(
        words.cut(need.title if need else deal.need_id, 120), tone, WORDS[deal.state],
        money(deal.amount),
    )  # fmt: skip


def _profile(profile: Profile | None) -> Markup:
    head = Markup('<div class="headline part"><h2>Your profile</h2><a class="btn" href="{}">{}</a>'
                  "</div>")  # fmt: skip
    if profile is None:
        empty = Markup('<p class="muted">Without a profile nobody finds you.</p>')
        return head.format("/match/profile", "Write it") + empty
    free = {True: "available", False: "not available", None: "availability not told"}
    facts = f"{money(profile.rate)} a unit · {free[profile.available]} · {profile.capacity} at once"
    return head.format("/match/profile", "Change") + card(
        Markup("<h3>{}</h3>").format(profile.name), Markup('<p class="muted">{}</p>').format(facts),
        chips(skill.name for skill in profile.skills), prose(profile.bio),
    )  # fmt: skip


def profile_form(profile: Profile | None, given: dict[str, str], view: View) -> Markup:
    """Return the form of the profile: empty, as it stands, or as it was just sent."""
    known = given or _known(profile)
    free = {"": "not told", "yes": "yes", "no": "no"}
    rows = (
        text("name", "Name", known.get("name", ""), required="", maxlength="200"),
        area("skills", "Skills, one on a line", known.get("skills", ""),
             "python, or python: 0.9 with a level from 0 to 1", 6),
        text("sectors", "Sectors", known.get("sectors", ""), "between commas", maxlength="2000"),
        text("languages", "Languages", known.get("languages", ""), maxlength="500"),
        text("timezone", "Time zone", known.get("timezone", ""), "like Europe/Berlin",
             maxlength="60"),
        text("rate", "Rate of one hour", known.get("rate", ""), f"like 80.50 {view.currency}",
             inputmode="decimal", maxlength="40"),
        text("min_budget", "Smallest budget", known.get("min_budget", ""), inputmode="decimal",
             maxlength="40"),
        text("capacity", "Deals at once", known.get("capacity", "1"), inputmode="numeric",
             maxlength="5"),
        choice("available", "Available now", free, known.get("available", "")),
        area("bio", "About you", known.get("bio", "")),
        area("items", "Past work", known.get("items", ""), "an empty line between two", 6),
        tick("left", "do not show me to clients", "left" in known),
        button("Keep", "primary"),
    )  # fmt: skip
    return Markup("<h1>Your profile</h1>{}").format(
        card(Markup(""), form("profile", view.mark, join(rows)))
    )


def _known(profile: Profile | None) -> dict[str, str]:
    if profile is None:
        return {}
    free = {True: "yes", False: "no", None: ""}
    known = {
        "name": profile.name, "sectors": ", ".join(profile.sectors),
        "languages": ", ".join(profile.languages), "timezone": profile.timezone or "",
        "rate": plain(profile.rate), "min_budget": plain(profile.min_budget),
        "capacity": str(profile.capacity), "available": free[profile.available],
        "bio": profile.bio, "items": "\n\n".join(profile.items),
        "skills": "\n".join(
            skill.name if skill.level is None else f"{skill.name}: {skill.level:g}"
            for skill in profile.skills
        ),
    }  # fmt: skip
    return known if profile.active else known | {"left": "on"}
