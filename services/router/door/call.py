"""One HTTP request at the door, and the two ways to answer it: whole, or piece by piece."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from services.router.door.errors import TooLarge
from shared.errors import Cancelled, InvalidInput

Headers = Iterable[tuple[bytes, bytes]]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

JSON = (b"content-type", b"application/json")
EVENTS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)


class Call:
    """A request as ASGI brings it; `begun` tells whether a part of the answer has gone out."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.receive = receive
        self.begun = False
        self.marks: list[tuple[bytes, bytes]] = []
        """Headers that the answer will have, beside those of its kind."""
        self._send = send

    def header(self, name: str) -> str | None:
        """Return a header's value, or None."""
        value = self.headers.get(name.encode())
        return None if value is None else value.decode("latin-1")

    def mark(self, name: str, value: object) -> None:
        """Add a header to the answer; line breaks of others never reach it."""
        clean = str(value).replace("\r", " ").replace("\n", " ")
        self.marks.append((name.encode(), clean.encode("latin-1", "replace")))

    def label(self, who: dict[str, str]) -> None:
        """Tell in headers what is known of who answers."""
        for name, value in who.items():
            self.mark(f"x-sovereign-{name}", value)

    def size(self, limit: int) -> int:
        """Return how many bytes the body has as announced; one that does not tell has `limit`."""
        announced = self.headers.get(b"content-length")
        if announced is None:
            return limit if b"transfer-encoding" in self.headers else 0
        return min(limit, int(announced)) if announced.isdigit() else limit

    async def body(self, limit: int) -> bytes:
        """Return the whole body; raise `TooLarge` above `limit` bytes, read or announced."""
        if self.headers.get(b"content-encoding", b"identity") != b"identity":
            raise InvalidInput("Content-Encoding: send the body as it is", field="Content-Encoding")
        announced = self.headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > limit:
            raise TooLarge(limit)
        held = bytearray()
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Cancelled("the caller hung up before its request was whole")
            held.extend(message.get("body", b""))
            if len(held) > limit:
                raise TooLarge(limit)
            if not message.get("more_body"):
                return bytes(held)

    async def gone(self) -> None:
        """Return when the caller has hung up."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def answer(self, status: int, body: bytes) -> None:
        """Answer in one piece of JSON."""
        length = (b"content-length", str(len(body)).encode())
        await self._start(status, (JSON, length, *self.marks))
        await self._send({"type": "http.response.body", "body": body})

    async def tell(self, events: bytes) -> None:
        """Send some server-sent events; the first ones start the answer."""
        if not self.begun:
            await self._start(200, (*EVENTS, *self.marks))
        await self._send({"type": "http.response.body", "body": events, "more_body": True})

    async def end(self) -> None:
        """End an answer of events."""
        await self._send({"type": "http.response.body", "body": b""})

    async def _start(self, status: int, headers: Headers) -> None:
        self.begun = True
        start = {"type": "http.response.start", "status": status, "headers": list(headers)}
        await self._send(start)
