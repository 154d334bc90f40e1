"""The ASGI application of the door: paths, keys, hang-ups, errors."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple, TypeVar

from services.router.desk import Desk
from services.router.door import openai_lists
from services.router.door.access import Access
from services.router.door.anthropic import Anthropic
from services.router.door.asked import Asked, Dialect
from services.router.door.call import Call, Receive, Scope, Send
from services.router.door.errors import Unknown, WrongMethod
from services.router.door.hall import Hall
from services.router.door.openai import OpenAI
from services.router.door.wishes import wishes
from services.router.embedding.desk import EmbedDesk
from services.router.models import ModelHandlers
from services.router.pour import Pour
from services.router.running import Running
from shared.errors import Cancelled, SovereignError
from shared.events import ChatReply, EmbedReply, Empty, ModelInfo
from shared.ids import ulid
from shared.settings import RouterSettings

log = logging.getLogger(__name__)

PULSE_S = 15.0
"""A stream that is silent for so long gets a comment, so that nobody between takes it for dead."""
PULSE = b": still here\n\n"
HUNG_UP = "the caller hung up"
LABELS = ("engine", "model", "host", "cache", "kept", "notice")
LARGE = 64 << 20
"""Bytes of large bodies that are read at a time."""
Read = TypeVar("Read")
Handler = Callable[[Call, str | None, str], Awaitable[None]]


class Desks(NamedTuple):
    """Who answers what is asked at the door."""

    chat: Desk
    embedding: EmbedDesk
    models: ModelHandlers


class Door:
    """Answers what speaks OpenAI's or Anthropic's language; at `url` while it is open."""

    def __init__(self, settings: RouterSettings, desks: Desks, running: Running) -> None:
        self.url = ""
        self._settings = settings
        self._desk = desks.chat
        self._embedding = desks.embedding
        self._models = desks.models
        self._running = running
        self._access = Access(settings)
        self._hall = Hall(LARGE)
        most = max(settings.max_tokens, settings.num_ctx // 2)
        self._openai = OpenAI(most)
        self._anthropic = Anthropic(settings)
        self._paths: dict[str, tuple[str, Handler]] = {
            "/v1/chat/completions": ("POST", self._completions),
            "/v1/embeddings": ("POST", self._embeddings),
            "/v1/messages": ("POST", self._messages),
            "/v1/messages/count_tokens": ("POST", self._count),
            "/v1/models": ("GET", self._list),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever goes wrong is told in the language it was asked in."""
        call = Call(scope, receive, send)
        request_id = ulid()
        call.mark("x-request-id", request_id)
        try:
            handler = self._handler(call)
            await handler(call, self._access.enter(call), request_id)
        except SovereignError as error:
            await self._refuse(call, error, request_id)
        except Exception as error:
            log.exception("%s %s failed", call.method, call.path)
            wrong = SovereignError(f"{type(error).__name__} at {call.path}")
            await self._refuse(call, wrong, request_id)

    def _handler(self, call: Call) -> Handler:
        path = call.path.rstrip("/")
        if path.startswith("/v1/models/"):
            path = "/v1/models"
        if path not in self._paths:
            raise Unknown(call.method, call.path)
        method, handler = self._paths[path]
        if call.method != method:
            raise WrongMethod(call.method, call.path)
        return handler

    async def _completions(self, call: Call, caller: str | None, request_id: str) -> None:
        await self._talk(call, self._openai, ("openai", caller, request_id))

    async def _messages(self, call: Call, caller: str | None, request_id: str) -> None:
        await self._talk(call, self._anthropic, ("anthropic", caller, request_id))

    async def _talk(
        self, call: Call, dialect: Dialect, origin: tuple[str, str | None, str]
    ) -> None:
        """Serve one conversation's turn; `origin` is the language, the key's name and our id."""
        source, caller, request_id = origin
        known = {"request_id": request_id, "source": source, "caller": caller}
        known |= _tenant(caller) | wishes(call)
        asked = await self._read(call, lambda data: dialect.read(data, known))
        with self._running.call(request_id):
            async with self._listening(call, request_id, asked.request.stream):
                await self._answer(call, dialect, asked)

    async def _read(self, call: Call, read: Callable[[bytes], Read]) -> Read:
        """Return what `read` makes of the body, which is let go of then."""
        limit = self._settings.door_max_bytes
        async with self._hall.hold(call.size(limit)):
            return read(await call.body(limit))

    async def _answer(self, call: Call, dialect: Dialect, asked: Asked) -> None:
        if not asked.request.stream:
            reply = await self._desk.complete(asked.request)
            _label(call, reply)
            await call.answer(200, dialect.whole(asked, reply))
            return
        story = dialect.story(asked)
        untold = story.begin()

        async def tell(delta: str) -> None:
            nonlocal untold
            events, untold = untold + story.piece(delta), b""
            await pour.put(events)

        async with Pour(call.tell) as pour:
            reply = await self._desk.complete(asked.request, tell, call.label)
        if not call.begun:
            _label(call, reply)
        await call.tell(untold + story.end(reply))
        await call.end()

    async def _embeddings(self, call: Call, caller: str | None, request_id: str) -> None:
        known = {"request_id": request_id, "source": "openai", "caller": caller}
        known |= _tenant(caller) | wishes(call)
        asked, packed = await self._read(call, lambda data: openai_lists.read(data, known))
        with self._running.call(request_id):
            async with self._listening(call, request_id, False):
                reply = await self._embedding.embed(asked)
                _label(call, reply)
                await call.answer(200, openai_lists.embeddings(reply, packed))

    async def _list(self, call: Call, caller: str | None, request_id: str) -> None:
        held = await self._held()
        name = call.path.removeprefix("/v1/models").strip("/")
        found = openai_lists.model(held, name) if name else openai_lists.models(held)
        await call.answer(200, found)

    async def _count(self, call: Call, caller: str | None, request_id: str) -> None:
        await call.answer(200, await self._read(call, self._anthropic.count))

    async def _held(self) -> list[ModelInfo]:
        """Return what may be asked by name: what the owner named, then the models."""
        told = await self._models.models(Empty())
        known = {model.name for model in told.models} | {""}
        settings = self._settings
        given = (*settings.aliases, *settings.servers, *settings.clouds, settings.openai_model)
        named = [ModelInfo(name=name) for name in dict.fromkeys(given) if name not in known]
        return [*named, *(model for model in told.models if model.allowed)]

    @asynccontextmanager
    async def _listening(self, call: Call, request_id: str, streamed: bool) -> AsyncIterator[None]:
        """Take the request back when its caller hangs up while the body runs."""
        ear = asyncio.create_task(self._listen(call, request_id, streamed))
        try:
            yield
        finally:
            ear.cancel()

    async def _listen(self, call: Call, request_id: str, streamed: bool) -> None:
        while True:
            try:
                async with asyncio.timeout(PULSE_S if streamed else None):
                    await call.gone()
            except TimeoutError:
                await call.tell(PULSE)
            else:
                self._running.cancel(request_id, HUNG_UP)
                return

    async def _refuse(self, call: Call, error: SovereignError, request_id: str) -> None:
        """Tell an error: as the whole answer, or at the end of what has gone out already."""
        if isinstance(error, Cancelled) and error.message == HUNG_UP:
            return
        dialect = self._dialect(call)
        if call.begun:
            await call.tell(dialect.broken(error, request_id))
            await call.end()
            return
        call.mark("x-should-retry", "true" if error.retryable else "false")
        if error.retry_after_s is not None:
            call.mark("retry-after", math.ceil(error.retry_after_s))
            call.mark("retry-after-ms", math.ceil(error.retry_after_s * 1000))
        await call.answer(*dialect.refusal(error, request_id))

    def _dialect(self, call: Call) -> Dialect:
        foreign = call.path.startswith("/v1/messages") or b"anthropic-version" in call.headers
        return self._anthropic if foreign else self._openai


def _tenant(caller: str | None) -> dict[str, str]:
    """Return whose cache a caller shares: each key has its own."""
    return {} if caller is None else {"tenant": caller}


def _label(call: Call, reply: ChatReply | EmbedReply) -> None:
    """Tell in headers who answered, and from where."""
    for name in LABELS:
        value = getattr(reply, name, "")
        if value:
            call.mark(f"x-sovereign-{name}", value)
