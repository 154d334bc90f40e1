"""What stands on the bus: streams, their consumers and lag, single messages, dead letters.

Everything is read by asking the server and by getting single messages: a consumer of ours would
take work away from those whose work it is.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from nats.errors import Error as NatsError
from nats.js.api import ConsumerInfo, RetentionPolicy, StreamInfo
from nats.js.errors import APIError
from pydantic import ValidationError

from shared.bus import Bus
from shared.errors import Conflict, InvalidInput, NotFound, Refused, Unavailable
from shared.events import DeadLetter
from shared.headers import MSG_ID
from shared.reading import Stored, read_page
from shared.streams import DEAD, STREAMS
from shared.subjects import token

SHOWN = 25
LETTERS = 100
WHOLE_LETTER = 500_000
"""Characters that a dead letter keeps of a payload; a longer one is not whole."""
AGAIN = ("task.request.", "task.control.")
"""Subjects that a person may hand in again: what else died, its own service must repeat."""
ABOUT = {one.name: one.about for one in STREAMS}


@dataclass(frozen=True)
class Follower:
    """A consumer: what waits for it, what it holds unacknowledged, what came more than once."""

    stream: str
    name: str
    waiting: int
    in_hand: int
    again: int


@dataclass(frozen=True)
class Kept:
    """A stream with its consumers. `kind` is queue, record, bucket or files."""

    name: str
    about: str
    kind: str
    messages: int
    size: int
    first: int
    last: int
    followers: tuple[Follower, ...] = ()


@dataclass(frozen=True)
class Letter:
    """A dead letter and its sequence in the stream DEAD."""

    seq: int
    letter: DeadLetter

    @property
    def mendable(self) -> bool:
        """Tell whether a person may hand it in again from here."""
        whole = len(self.letter.payload) < WHOLE_LETTER
        return whole and self.letter.subject.startswith(AGAIN)


class Streams:
    """Questions about the bus to its server."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def look(self) -> list[Kept]:
        """Return every stream with its consumers, work queues first."""
        self._must_reach()
        try:
            found = await self._bus.js.streams_info()
            kept = [await self._kept(one) for one in found]
        except (NatsError, APIError, TimeoutError) as error:
            raise Unavailable(f"the server does not tell: {error or 'no answer'}") from error
        order = ("queue", "record", "bucket", "files")
        return sorted(kept, key=lambda one: (order.index(one.kind), one.name))

    async def followers(self, stream: str) -> list[Follower]:
        """Return the consumers of one stream."""
        self._must_reach()
        try:
            return [_follower(one) for one in await self._bus.js.consumers_info(stream)]
        except (NatsError, APIError, TimeoutError) as error:
            raise Unavailable(f"the server does not tell: {error or 'no answer'}") from error

    async def messages(self, stream: Kept) -> list[Stored]:
        """Return the oldest messages of a queue, the newest of anything else; newest first."""
        self._must_reach()
        after = 0 if stream.kind == "queue" else max(0, stream.last - SHOWN)
        found = await read_page(self._bus, stream.name, ">", after, batch=SHOWN)
        return found if stream.kind == "queue" else found[::-1]

    async def letters(self) -> list[Letter]:
        """Return the latest dead letters, the newest first."""
        self._must_reach()
        try:
            last = (await self._bus.js.stream_info(DEAD.name)).state.last_seq
        except (NatsError, APIError, TimeoutError) as error:
            raise Unavailable(f"dead letters cannot be read: {error or 'no answer'}") from error
        found = await read_page(self._bus, DEAD.name, "dead.*", max(0, last - LETTERS))
        read = [_letter(one) for one in found]
        return [one for one in read[::-1] if one is not None]

    async def hand_in_again(self, seq: int, payload: str | None = None) -> int:
        """Publish a dead letter's message once more, mended or as it was; return its sequence.

        The same letter with the same content twice is one message: then `Conflict`.
        """
        letter = next((one for one in await self.letters() if one.seq == seq), None)
        if letter is None:
            raise NotFound(f"no dead letter {seq}", field="seq")
        if not letter.mendable:
            raise Refused(f"{letter.letter.subject} cannot be handed in again from here")
        data = content(letter.letter) if payload is None else payload.encode()
        token(letter.letter.subject.rpartition(".")[2], "subject")
        headers = {MSG_ID: f"again.{seq}.{binascii.crc32(data):08x}"}
        try:
            ack = await self._bus.js.publish(letter.letter.subject, data, headers=headers)
        except (NatsError, APIError, TimeoutError) as error:
            raise Unavailable(f"it was not taken: {error or 'no answer'}") from error
        if ack.duplicate:
            raise Conflict("it was handed in already")
        return ack.seq

    async def _kept(self, found: StreamInfo) -> Kept:
        name, state = str(found.config.name), found.state
        followers: list[Follower] = []
        if state.consumer_count:
            followers = [_follower(one) for one in await self._bus.js.consumers_info(name)]
        return Kept(
            name, ABOUT.get(name) or found.config.description or "", kind_of(found),
            state.messages, state.bytes, state.first_seq, state.last_seq, tuple(followers),
        )  # fmt: skip

    def _must_reach(self) -> None:
        if not self._bus.nc.is_connected:
            raise Unavailable("the bus is lost; try again", retry_after_s=2)


def kind_of(found: StreamInfo) -> str:
    """Return what a stream is for, by its retention and its name."""
    name = str(found.config.name)
    if name.startswith("KV_"):
        return "bucket"
    if name.startswith("OBJ_"):
        return "files"
    return "queue" if found.config.retention == RetentionPolicy.WORK_QUEUE else "record"


def content(letter: DeadLetter) -> bytes:
    """Return the bytes of the message that died."""
    if letter.payload_encoding != "base64":
        return letter.payload.encode()
    try:
        return base64.b64decode(letter.payload, validate=True)
    except binascii.Error as error:
        raise InvalidInput("the letter's payload is no base64", field="payload") from error


def _follower(one: ConsumerInfo) -> Follower:
    return Follower(
        one.stream_name, one.name, one.num_pending or 0, one.num_ack_pending or 0,
        one.num_redelivered or 0,
    )  # fmt: skip


def _letter(stored: Stored) -> Letter | None:
    try:
        return Letter(stored.seq, DeadLetter.model_validate_json(stored.data))
    except ValidationError:
        return None
