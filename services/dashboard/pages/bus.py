"""The bus itself: streams and consumers with their lag, single messages, dead letters."""

from __future__ import annotations

import anyio
import orjson
from markupsafe import Markup
from nicegui import ui

from services.dashboard.door.build import House
from services.dashboard.pages import parts, words
from services.dashboard.pages.asking import confirmed, done
from services.dashboard.pages.shell import page
from services.dashboard.pages.visitor import may
from services.dashboard.streams import Follower, Kept, Letter, Streams
from shared.clock import now
from shared.errors import SovereignError
from shared.reading import Stored

EVERY_S = 3.0
FIRST_S = 1.5
LONGEST_PAYLOAD = 20_000


class Seen:
    """What the page has read of the bus, and why it could not read more."""

    def __init__(self, house: House, stream: str | None) -> None:
        self._asks = Streams(house.bus)
        self.wanted = stream
        self.streams: list[Kept] = []
        self.messages: list[Stored] = []
        self.letters: list[Letter] = []
        self.error = ""

    @property
    def chosen(self) -> Kept | None:
        """The stream whose messages are shown."""
        return next((one for one in self.streams if one.name == self.wanted), None)

    async def look(self) -> None:
        """Read all of it; what was seen last stays where it cannot be read."""
        try:
            self.streams = await self._asks.look()
            self.letters = await self._asks.letters()
            if self.chosen is not None:
                self.messages = await self._asks.messages(self.chosen)
            self.error = ""
        except SovereignError as error:
            self.error = error.message

    async def again(self, seq: int, payload: str | None) -> str:
        """Hand a dead letter in again."""
        number = await self._asks.hand_in_again(seq, payload)
        await self.look()
        return f"handed in again as message {number}"


async def build(house: House, stream: str | None) -> None:
    """Build the page; the chosen stream lives in its address."""
    seen = Seen(house, stream)
    with anyio.move_on_after(FIRST_S):
        await seen.look()
    with page(house, "Bus", "/dashboard/bus") as shown:
        shown.live(lambda: parts.note(seen.error, "bad") if seen.error else Markup(""))
        shown.live(lambda: summary(seen), "tiles")
        if stream:
            shown.live(lambda: browsed(seen))
        mends = may(house, "operate")
        dead = shown.live(lambda: letters(seen.letters, mends=mends))
        with ui.element("div").classes("halves"):
            shown.live(lambda: streams(seen.streams))
            shown.live(lambda: followers(seen.streams))
        if mends:
            dead.acts({"again": lambda key: _again(house, seen, key)})
    ui.timer(EVERY_S, seen.look)


async def _again(house: House, seen: Seen, key: str) -> None:
    """Ask for the content, which may be mended, and hand it in again."""
    letter = next((one for one in seen.letters if str(one.seq) == key), None)
    if letter is None or not letter.mendable:
        return
    text: str | None = letter.letter.payload
    plain = letter.letter.payload_encoding != "base64" and len(text or "") < LONGEST_PAYLOAD
    title = f"Hand in again on {letter.letter.subject}?"
    given = await confirmed(title, "Message", str(text) if plain else "as it was", long=plain)
    if given is None:
        return

    async def act(by: str) -> str:
        return await seen.again(letter.seq, given if plain and given != text else None)

    await done(house, "operate", act)


def summary(seen: Seen) -> Markup:
    """Return how much is kept, what waits, what lags, what died."""
    everyone = [one for kept in seen.streams for one in kept.followers]
    waiting = sum(one.messages for one in seen.streams if one.kind == "queue")
    lag = max((one.waiting for one in everyone), default=0)
    slowest = max(everyone, key=lambda one: one.waiting, default=None)
    size = sum(one.size for one in seen.streams)
    name = f"{slowest.stream} {slowest.name}" if slowest and lag else "nobody is behind"
    dead = len(seen.letters)
    return parts.join(
        (
            parts.tile("Streams", str(len(seen.streams)), f"{words.memory_small(size)} on disk"),
            parts.tile("In work queues", words.count(waiting), "messages not yet done"),
            parts.tile("Greatest lag", words.count(lag), words.cut(name, 60)),
            parts.tile("Consumers", str(len(everyone)), "each takes from one stream"),
            parts.tile("Dead letters", words.count(dead), "of the last hundred",
                       "warn" if dead else ""),
            parts.tile("In hand", words.count(sum(one.in_hand for one in everyone)),
                       "taken and not yet acknowledged"),
        )
    )  # fmt: skip


def streams(kept: list[Kept]) -> Markup:
    """Return every stream; each leads to its messages."""
    if not kept:
        return parts.card("Streams", parts.empty("Not known now", "asking…"), flush=True)
    heads = ("Stream", "~Kind", ">Messages", ">Size", "~>Last")
    return parts.card("Streams", parts.table(heads, [_stream(one) for one in kept]), flush=True)


def _stream(one: Kept) -> Markup:
    link = Markup(
        '<a class="link" href="/dashboard/bus?stream={0}" title="{1}">{0}</a>'
        '<span class="muted" style="display:block;font-size:12px;font-weight:400">{1}</span>'
    ).format(one.name, words.cut(one.about, 80))
    cells = (
        parts.cell(link, "name"),
        parts.cell(one.kind, "late soft"),
        parts.cell(words.count(one.messages), "right num"),
        parts.cell(words.memory_small(one.size), "right num nowrap"),
        parts.cell(words.count(one.last), "late right num muted"),
    )
    return parts.row(cells, f"stream-{one.name}", "hit")


def followers(kept: list[Kept]) -> Markup:
    """Return every consumer, those with something to do first."""
    found = [one for each in kept for one in each.followers]
    if not found:
        teach = "Services take work through durable consumers; each stands here with its lag."
        return parts.card("Consumers", parts.empty("None yet", teach), flush=True)
    heads = ("Consumer", "~Stream", ">Waiting", ">In hand", "~>Came again")
    busiest = sorted(found, key=lambda one: (-one.waiting - one.in_hand, one.stream, one.name))
    return parts.card("Consumers", parts.table(heads, [_one(one) for one in busiest]), flush=True)


def _one(one: Follower) -> Markup:
    cells = (
        parts.cell(words.cut(one.name, 40), "name nowrap"),
        parts.cell(one.stream, "late soft"),
        parts.cell(words.count(one.waiting), "right num"),
        parts.cell(words.count(one.in_hand), "right num"),
        parts.cell(words.count(one.again), "late right num muted"),
    )
    return parts.row(cells, f"consumer-{one.stream}-{one.name}", "hit")


def browsed(seen: Seen) -> Markup:
    """Return the messages of the chosen stream: a queue's oldest, anything else's newest."""
    chosen = seen.chosen
    close = Markup('<a class="link" href="/dashboard/bus">close</a>')
    if chosen is None:
        body = parts.empty("No such stream", words.cut(str(seen.wanted), 80))
        return parts.card("Messages", body, close, flush=True)
    title = f"{chosen.name}: {'next in the queue' if chosen.kind == 'queue' else 'the newest'}"
    if not seen.messages:
        return parts.card(
            title, parts.empty("Empty", "No message is kept here."), close, flush=True
        )
    rows = parts.join(_message(one) for one in seen.messages)
    return parts.card(title, rows, close, flush=True)


def _message(one: Stored) -> Markup:
    return Markup(
        '<details class="step" id="message-{0}"><summary class="plainly"><span class="num muted">'
        '{0}</span><span class="cut">{1}</span><span class="muted num nowrap">{2}</span></summary>'
        '<div class="inside"><div class="plain">{3}</div></div></details>'
    ).format(
        one.seq, words.cut(one.subject, 160), words.memory_small(len(one.data)), body(one.data)
    )


def body(data: bytes) -> str:
    """Return a message as indented JSON, else as text, else what it is; cut where it is long."""
    try:
        text = orjson.dumps(orjson.loads(data), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        text = data[:LONGEST_PAYLOAD].decode("utf-8", "replace")
    shown = words.clean(text[:LONGEST_PAYLOAD])
    rest = len(text) - LONGEST_PAYLOAD
    return shown if rest <= 0 else f"{shown}\n… {words.count(rest)} characters more"


def letters(found: list[Letter], *, mends: bool) -> Markup:
    """Return what nobody could handle, with the reason, and what may be done about it."""
    if not found:
        teach = "A message that nobody could handle stands here with its reason; nothing is lost."
        return parts.card("Dead letters", parts.empty("None", teach), flush=True)
    rows = parts.join(_dead(one, mends=mends) for one in found)
    return parts.card("Dead letters", rows, flush=True)


def _dead(one: Letter, *, mends: bool) -> Markup:
    letter = one.letter
    where = f" ({letter.reason.field})" if letter.reason.field else ""
    button = parts.act("again", str(one.seq), "Hand in again") if mends and one.mendable else ""
    return Markup(
        '<details class="step" id="dead-{0}"><summary class="plainly"><span class="num muted">{0}'
        '</span><span class="cut"><b style="font-weight:550">{1}</b> <span class="muted">{2}</span>'
        '</span><span class="muted num nowrap">{3}</span></summary><div class="inside">{4}'
        '<div class="plain">{5}</div><div>{6}</div></div></details>'
    ).format(
        one.seq, words.cut(letter.subject, 100), words.cut(letter.reason.message, 160),
        words.ago(words.since(letter.at, now())),
        parts.note(f"{letter.reason.message} · {letter.reason.code}{where}", "bad"),
        body(letter.payload.encode()), button,
    )  # fmt: skip
