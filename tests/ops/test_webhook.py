import asyncio
import hashlib
import hmac
import random
from contextlib import asynccontextmanager

import anyio
import orjson
import pytest

from services.ops.webhook import Webhook, body_of, redacted, webhook
from shared.events import OpsEvent
from shared.settings import OpsSettings

EVENT = OpsEvent(
    event_id="e1", kind="escalated", service="router", host="here", symptom="hang",
    cause="left with code 2: SOVEREIGN_ROUTER__OPENAI_API_KEY=sk-abcdefghijkl is wrong",
    evidence={"seed": "SUAIBDPBAUTW"},
)  # fmt: skip


class Receiver:
    """A real HTTP server that answers with the given codes, one after the other."""

    def __init__(self, *codes: int) -> None:
        self._codes = list(codes)
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    async def answer(self, reader, writer) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in head[1:])}
        body = await reader.readexactly(int(headers["content-length"]))
        self.calls.append((headers, body))
        code = self._codes.pop(0) if len(self._codes) > 1 else self._codes[0]
        writer.write(
            f"HTTP/1.1 {code} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()


@asynccontextmanager
async def sending(*codes: int, secret: bytes = b"geheim"):
    receiver = Receiver(*codes)
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    hook = Webhook(f"http://127.0.0.1:{port}/call?x=1", secret, random.Random(0))
    async with server, anyio.create_task_group() as tasks:
        tasks.start_soon(hook.run)
        yield hook, receiver
        tasks.cancel_scope.cancel()


async def until(condition) -> None:
    while not condition():  # noqa: ASYNC110 - nothing tells of it
        await anyio.sleep(0.01)


async def test_a_call_is_signed_over_its_time_and_bytes():
    async with sending(200) as (hook, receiver):
        hook.call(EVENT)
        await until(lambda: hook.sent == 1)
    headers, body = receiver.calls[0]
    signed = headers["x-sovereign-timestamp"].encode() + b"." + body
    wanted = "sha256=" + hmac.new(b"geheim", signed, hashlib.sha256).hexdigest()
    assert headers["x-sovereign-signature"] == wanted
    assert orjson.loads(body)["service"] == "router"


async def test_a_call_that_fails_is_made_again(monkeypatch):
    monkeypatch.setattr("services.ops.webhook.BASE_S", 0.01)
    async with sending(503, 429, 204) as (hook, receiver):
        hook.call(EVENT)
        await until(lambda: hook.sent == 1)
    assert len(receiver.calls) == 3


async def test_a_call_that_is_refused_is_not_repeated():
    async with sending(401) as (hook, receiver):
        hook.call(EVENT)
        await until(lambda: hook.sent == 1)
    assert len(receiver.calls) == 1


async def test_nobody_at_the_other_end_ends_nothing(monkeypatch, unused_tcp_port):
    monkeypatch.setattr("services.ops.webhook.BASE_S", 0.001)
    hook = Webhook(f"http://127.0.0.1:{unused_tcp_port}/", b"")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hook.run)
        hook.call(EVENT)
        await until(lambda: hook.failed == 1)
        tasks.cancel_scope.cancel()


def test_what_leaves_the_host_holds_no_secret_and_no_evidence():
    body = body_of(EVENT).decode()
    assert "sk-abc" not in body
    assert "SUAI" not in body
    assert orjson.loads(body)["symptom"] == "hang"


@pytest.mark.parametrize(
    "text",
    [
        "nats://ada:pass1234@bus:4222", "Authorization: Bearer abcdefgh123", "password=hunter22",
        "SUAIBDPBAUTWCWBKIO6XHQNINK5FWJW4OHLXC3HQ2KFE4PEJUA44CNHTC4", "api_key: 'x9y8z7'",
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_taken_out(text):
    assert "[secret]" in redacted(text)
    assert not any(word in redacted(text) for word in ("pass1234", "abcdefgh", "hunter22", "9y8"))


def test_without_a_setting_nobody_is_called():
    assert webhook(OpsSettings()) is None
    assert webhook(OpsSettings(webhook_url="https://example.org/x")) is not None
