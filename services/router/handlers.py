"""The router on the bus: `model.*` requests in, replies, chunks and error envelopes out."""

from __future__ import annotations

import asyncio
import logging

from nats.aio.msg import Msg
from nats.micro.request import Request

from services.router.desk import Desk
from services.router.pour import Pour
from services.router.presence import Presence
from services.router.running import Running
from shared import rpc
from shared.bus import decode, encode
from shared.errors import SovereignError
from shared.events import ChatChunk, ChatReply, ChatRequest, ModelCancel
from shared.ids import ulid
from shared.load import leaning

log = logging.getLogger(__name__)


class ChatHandlers:
    """Answers `model.chat`, any number at once, and takes requests back on `model.cancel`."""

    def __init__(self, desk: Desk, running: Running, presence: Presence) -> None:
        self._desk = desk
        self._running = running
        self._presence = presence
        self._answering: set[asyncio.Task[None]] = set()

    async def chat(self, request: Request) -> None:
        """Take one request on; the answer comes from its own task."""
        task = asyncio.create_task(self._answer(request))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def own(self) -> None:
        """Own the answers: whoever cancels this ends what `Running.drain` could not end before."""
        try:
            await asyncio.Event().wait()
        finally:
            for task in self._answering:
                task.cancel()

    async def cancel(self, message: Msg) -> None:
        """Take the named request back, if this router runs it."""
        try:
            asked = decode(message.data, ModelCancel)
        except SovereignError as error:
            log.warning("%s: %s", message.subject, error.message)
            return
        if self._running.cancel(asked.request_id, asked.reason):
            log.info("request %s was taken back: %s", asked.request_id, asked.reason)

    async def _answer(self, request: Request) -> None:
        """Reply or refuse; silence is no answer."""
        async with rpc.answering(request):
            await rpc.respond(request, await self._complete(request))

    async def _complete(self, request: Request) -> ChatReply:
        asked = rpc.parse(request.data, ChatRequest)
        request_id = asked.request_id or ulid()
        asked = asked.model_copy(update={"request_id": request_id})
        chunks = Chunks(request, request_id) if asked.stream else None
        empty = chunks.empty if chunks else None
        with self._running.call(request_id) as take_back:
            async with self._presence.watch(request._msg.reply, empty, take_back):
                with leaning():
                    return await self._told(asked, chunks)

    async def _told(self, asked: ChatRequest, chunks: Chunks | None) -> ChatReply:
        """Return the reply; of a stream, its pieces have gone out before."""
        if chunks is None:
            return await self._desk.complete(asked, None)

        async def tell(delta: str) -> None:
            await pour.put(delta.encode())

        async with Pour(chunks.send) as pour:
            return await self._desk.complete(asked, tell)


class Chunks:
    """Sends the pieces of one streamed answer to its requester, numbered from 0."""

    def __init__(self, request: Request, request_id: str) -> None:
        self._request = request
        self._request_id = request_id
        self._index = 0

    async def send(self, text: bytes) -> None:
        """Send the next piece."""
        await self._request.respond(self._next(text.decode()))

    def empty(self) -> bytes:
        """Return a piece without text: who hears it is still there."""
        return self._next("")

    def _next(self, delta: str) -> bytes:
        chunk = ChatChunk(request_id=self._request_id, index=self._index, delta=delta)
        self._index += 1
        return encode(chunk)
