"""One session: its handoff, how it differs from an earlier one, and all that happened."""

from __future__ import annotations

from difflib import unified_diff

from markupsafe import Markup

from services.dashboard.pages import parts, words
from services.dashboard.pages.asked import Asked
from services.dashboard.pages.markdown import prose
from services.dashboard.pages.shell import Page
from shared import events as e
from shared.clock import now

EVENTS = 500
LINES = 600


async def build(shown: Page, space: str, session_id: str, against: int | None) -> None:
    """Add the parts of one session."""
    wanted = e.SessionAsk(namespace=space, session_id=session_id, limit=EVENTS)
    handoff = Asked(shown, "session.handoff", wanted, e.Handoff)
    await handoff.follow()
    if against is not None:
        then = wanted.model_copy(update={"at_seq": against})
        before = Asked(shown, "session.handoff", then, e.Handoff)
        await before.follow()
        shown.live(lambda: before.shown("Difference", lambda old: difference(old, handoff.value)))
    loaded = Asked(shown, "session.load", wanted, e.SessionLoaded)
    await loaded.follow()
    shown.live(lambda: handoff.shown("Handoff", document))
    shown.live(lambda: loaded.shown("Timeline", timeline))


def document(handoff: e.Handoff) -> Markup:
    """Return the handoff with its checksum and a download."""
    aside = Markup(
        '<span class="muted mono">{}</span><a class="link" href="/sessions/{}/handoff.md" download>'
        "download</a>"
    ).format(handoff.checksum[:12], handoff.session_id)
    return parts.card(f"Handoff of {handoff.session_id}", prose(handoff.markdown), aside)


def timeline(loaded: e.SessionLoaded) -> Markup:
    """Return what happened, the newest first; an earlier handoff can be compared with now."""
    if not loaded.events:
        return parts.card("Timeline", parts.empty("Nothing yet", "No event is kept."), flush=True)
    more = f"the first {len(loaded.events)} events" if loaded.more else ""
    rows = parts.join(_event(one) for one in reversed(loaded.events))
    aside = Markup('<span class="muted">{}</span>').format(more)
    return parts.card("Timeline", rows, aside, flush=True)


def _event(one: e.StoredEvent) -> Markup:
    return Markup(
        '<details class="step" id="fact-{0}"><summary class="plainly"><span class="num muted">{0}'
        '</span><span class="cut"><b style="font-weight:550">{1}</b> {2}</span>'
        '<span class="muted num nowrap">{3}</span></summary><div class="inside">'
        '<div>{4}</div>{5}<div class="muted" style="font-size:12.5px">{6}</div></div></details>'
    ).format(
        one.seq, one.kind, words.cut(one.title, 160), words.ago(words.since(one.at, now())),
        words.clean(one.title), prose(one.body) if one.body else "", _origin(one),
    )  # fmt: skip


def _origin(one: e.StoredEvent) -> Markup:
    who = Markup("{} · {} · {}").format(
        words.cut(one.actor, 60), f"{one.at.astimezone():%Y-%m-%d %H:%M}", parts.code(one.event_id)
    )
    seq = one.data.get("seq")
    if one.kind != "handoff.made" or not isinstance(seq, int):
        return who
    return who + Markup(
        ' · <a class="link" href="/dashboard/sessions?id={}&against={}">compare with now</a>'
    ).format(one.session_id, seq)


def difference(old: e.Handoff, new: e.Handoff | None) -> Markup:
    """Return what the present handoff has more and less than an earlier one."""
    close = Markup('<a class="link" href="/dashboard/sessions?id={}">close</a>').format(
        old.session_id
    )
    title = f"From event {old.seq} to {new.seq if new else 'now'}"
    if new is None or old.markdown == new.markdown:
        body = parts.empty("No difference", "Both handoffs say the same.")
        return parts.card(title, body, close, flush=True)
    lines = list(unified_diff(old.markdown.splitlines(), new.markdown.splitlines(), n=1,
                              lineterm=""))[2:]  # fmt: skip
    shown = parts.join(_line(line) for line in lines[:LINES])
    return parts.card(title, Markup('<div class="diff">{}</div>').format(shown), close)


def _line(line: str) -> Markup:
    kind = {"+": "more", "-": "less", "@": "place"}.get(line[:1], "")
    return Markup('<div class="{}">{}</div>').format(kind, words.clean(line) or " ")
