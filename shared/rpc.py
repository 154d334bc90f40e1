"""Request-reply: typed endpoints on NATS micro services, errors always as envelopes.

Each process registers one micro service, so `nats micro ls|info|stats` shows it (ADR-32).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio.abc
import nats.errors
import orjson
from nats.micro import add_service
from nats.micro.request import Request
from nats.micro.service import Service
from pydantic import BaseModel, ValidationError

from shared.bus import Bus, encode, invalid
from shared.circuit import Circuit
from shared.errors import Busy, InvalidInput, SovereignError, Unavailable
from shared.load import LOAD

log = logging.getLogger(__name__)

Ask = TypeVar("Ask", bound=BaseModel)
Handler = Callable[[Ask], Awaitable[BaseModel]]
ERROR_HEADERS = ("Nats-Service-Error", "Nats-Service-Error-Code")


class Endpoints:
    """The request subjects that this process answers."""

    def __init__(self, service: Service, tasks: anyio.abc.TaskGroup) -> None:
        self._service = service
        self._tasks = tasks
        self.circuit = Circuit()

    async def answer(self, subject: str, ask: type[Ask], handler: Handler[Ask]) -> None:
        """Answer one request after the other on `subject`, shared with peers of the service."""

        async def handle(request: Request) -> None:
            await reply_to(request, ask, handler)

        await self._add(subject, handle)

    async def answer_many(
        self, subject: str, ask: type[Ask], handler: Handler[Ask], limit: int
    ) -> None:
        """Answer up to `limit` requests at the same time; more are told `busy` at once."""
        room = anyio.CapacityLimiter(limit)

        async def work(request: Request) -> None:
            try:
                await reply_to(request, ask, handler)
            finally:
                room.release_on_behalf_of(request)

        async def handle(request: Request) -> None:
            try:
                room.acquire_on_behalf_of_nowait(request)
            except anyio.WouldBlock:
                await refuse(request, Busy(f"{subject}: {limit} requests are in hand"))
                return
            self._tasks.start_soon(work, request)

        await self._add(subject, handle)

    async def answer_raw(self, subject: str, handler: Callable[[Request], Awaitable[None]]) -> None:
        """Hand the raw request over, for answers that stream."""
        await self._add(subject, handler)

    async def stop(self) -> None:
        """Stop taking requests."""
        await self._service.stop()

    async def _add(self, subject: str, handler: Callable[[Request], Awaitable[None]]) -> None:
        async def guarded(request: Request) -> None:
            left_s = self.circuit.left_s
            if left_s:
                line = f"{subject}: taking no requests for {left_s:.0f} s, its circuit is open"
                await refuse(request, Unavailable(line, retry_after_s=left_s))
                return
            await handler(request)

        await self._service.add_endpoint(
            name=subject.replace(".", "-"), subject=subject, handler=guarded
        )


async def reply_to(request: Request, ask: type[Ask], handler: Handler[Ask]) -> None:
    """Parse, handle, reply."""
    async with answering(request):
        await respond(request, await handler(parse(request.data, ask)))


@asynccontextmanager
async def answering(request: Request) -> AsyncIterator[None]:
    """Whatever goes wrong in the body becomes an envelope to the requester and never silence."""
    with LOAD.one_request():
        try:
            yield
        except SovereignError as error:
            LOAD.failed(error)
            await refuse(request, error)
        except Exception as error:
            log.exception("%s failed", request.subject)
            fault = SovereignError(f"{type(error).__name__} in {request.subject}")
            LOAD.failed(fault)
            await refuse(request, fault)


def parse(data: bytes, ask: type[Ask]) -> Ask:
    """Return the typed request; an empty payload means `{}`."""
    try:
        return ask.model_validate_json(data or b"{}")
    except ValidationError as error:
        raise invalid(error) from None


async def respond(request: Request, answer: BaseModel) -> None:
    """Send the answer, or `invalid_input` when it is larger than the bus carries."""
    try:
        await _send(request, encode(answer), {"content-type": "application/json"})
    except nats.errors.MaxPayloadError:
        await refuse(request, InvalidInput("the answer is larger than a message may be"))


async def refuse(request: Request, error: SovereignError) -> None:
    """Send the error envelope, with the two headers of ADR-32."""
    line = error.message.replace("\r", " ").replace("\n", " ")[:300]
    headers = dict(zip(ERROR_HEADERS, (line, str(error.http_status)), strict=True))
    await _send(request, orjson.dumps(error.envelope()), headers)


async def _send(request: Request, data: bytes, headers: dict[str, str]) -> None:
    """Send a reply; one that nobody can take (no reply subject, no bus) must not end a service."""
    try:
        await request.respond(data, headers=headers)
    except nats.errors.MaxPayloadError:
        raise
    except (nats.errors.Error, ValueError) as error:
        log.warning("%s: the reply could not be sent: %s", request.subject, error)


async def register(
    bus: Bus, name: str, version: str, metadata: dict[str, str], tasks: anyio.abc.TaskGroup
) -> Endpoints:
    """Register the micro service of this process and return its endpoints."""
    service = await add_service(
        bus.nc, name=name, version=version, description=f"sovereign {name}", metadata=metadata
    )
    return Endpoints(service, tasks)
