"""What the door refuses, with which status and in whose words."""

import json
import socket

import httpx
import pytest
from pydantic import SecretStr

from services.router.door import server
from services.router.door.access import Bucket
from services.router.door.errors import TooMany
from shared.errors import InvalidSetting
from shared.settings import RouterSettings
from tests.router.conftest import until

SAID = [{"role": "user", "content": "hello"}]
LOOP = {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
DRAWING = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}

PACKED = {"Content-Encoding": "gzip"}
LATE = {"X-Sovereign-Timeout": "never"}
ASKED = {"model": "llama3.1:8b", "messages": SAID}

WRONG = [
    ({"messages": []}, 400, "messages"),
    ({"messages": "hello"}, 400, "messages"),
    ({"model": ""}, 400, "model"),
    ({"n": 2}, 400, "n"),
    ({"logprobs": True}, 400, "logprobs"),
    ({"logit_bias": {"1": 2}}, 400, "logit_bias"),
    ({"temperature": 3}, 400, "temperature"),
    ({"max_tokens": 0}, 400, "max_tokens"),
    ({"max_completion_tokens": 0}, 400, "max_completion_tokens"),
    ({"max_tokens": 1, "max_completion_tokens": 2}, 400, "max_tokens"),
    ({"stream_options": {"include_usage": True}}, 400, "stream_options"),
    ({"response_format": {"type": "xml"}}, 400, "response_format"),
    ({"response_format": {"type": "json_schema", "json_schema": {"schema": LOOP}}}, 400,
     "response_format"),
    ({"tools": [{"type": "function", "function": {}}]}, 400, "tools.0.function.name"),
    ({"tool_choice": "required"}, 400, "tool_choice"),
    ({"messages": [{"role": "user", "content": [PICTURE]}]}, 400, "messages.0.content.0.image_url"),
    ({"messages": [{"role": "user", "content": [DRAWING]}]}, 400, "messages"),
    ({"messages": [{"role": "tool", "content": "x"}]}, 400, "messages.0.tool_call_id"),
    ({"model": "missing"}, 404, "model"),
    ({"model": "kimi:cloud"}, 403, "model"),
    ({"model": "busy"}, 503, None),
    ({"model": "toomany"}, 503, None),
    ({"model": "crash"}, 502, None),
    ({"model": "cut"}, 502, None),
    ({"model": "halfline"}, 502, None),
    ({"model": "garbage"}, 502, None),
    ({"model": "repeat"}, 502, None),
    ({"model": "badjson", "response_format": {"type": "json_schema", "json_schema": {
        "schema": {"type": "object", "required": ["a"]}}}}, 502, "response_format"),
    ({"model": "len", "response_format": {"type": "json_object"}}, 502, "max_completion_tokens"),
]  # fmt: skip


async def test_each_wrong_request_has_its_status_and_its_field(door, fake):
    async with door() as url, plain(url) as client:
        for change, status, field in WRONG:
            body = {"model": "llama3.1:8b", "messages": SAID, **change}
            told = await client.post("/v1/chat/completions", json=body)
            error = told.json()["error"]
            shown = str(change)[:80]
            assert (shown, told.status_code, error["param"]) == (shown, status, field)
            assert error["message"]
            assert told.headers["x-should-retry"] in ("true", "false")
        await until(lambda: fake.stats.open_streams == 0)


async def test_a_model_that_falls_silent_is_given_up(door, fake):
    async with door(idle_s=0.2, first_token_s=0.2) as url, plain(url) as client:
        for model in ("stall", "slow-load"):
            body = {"model": model, "messages": SAID}
            told = await client.post("/v1/chat/completions", json=body)
            assert (told.status_code, told.json()["error"]["code"]) == (504, "timed_out")
        told = await client.post("/v1/chat/completions", json=body | {"stream": True})
        assert "timed_out" in told.text
        await until(lambda: fake.stats.open_streams == 0)


async def test_two_megabytes_are_too_long_and_nothing_is_cut(door, fake):
    said = [{"role": "user", "content": "long " * 400_000}]
    async with door() as url, plain(url) as client:
        body = {"model": "llama3.1:8b", "messages": said}
        told = await client.post("/v1/chat/completions", json=body)
    assert (told.status_code, told.json()["error"]["code"]) == (400, "context_length_exceeded")
    assert fake.stats.bodies[-1]["truncate"] is False


async def test_what_cannot_fit_by_far_reaches_no_host(door, fake):
    said = [{"role": "user", "content": "x" * (512 * 256 + 1)}]
    async with door(num_ctx=512) as url, plain(url) as client:
        told = await client.post("/v1/chat/completions", json={"model": "m", "messages": said})
    assert (told.status_code, told.json()["error"]["param"]) == (400, "messages")
    assert fake.stats.chats == 0


async def test_what_breaks_in_mid_stream_ends_with_an_error(door, fake):
    async with door() as url, plain(url) as client:
        for model in ("mid", "cut", "halfline", "garbage", "nodone", "repeat"):
            body = {"model": model, "messages": SAID, "stream": True}
            told = await client.post("/v1/chat/completions", json=body)
            events = told.text.strip().split("\n\n")
            assert told.status_code == 200
            assert "error" in json.loads(events[-1].removeprefix("data: ")), model
            assert "[DONE]" not in told.text
        await until(lambda: fake.stats.open_streams == 0)


async def test_bodies_paths_and_methods_out_of_order(door):
    async with door(door_max_bytes=2000) as url, plain(url) as client:
        told = [
            await client.post("/v1/chat/completions", content=b"{half"),
            await client.post("/v1/chat/completions", content=b"[]"),
            await client.post("/v1/chat/completions", content=b"x" * 3000),
            await client.post("/v1/chat/completions", content=_parts(3000)),
            await client.post("/v1/chat/completions", content=b"", headers=PACKED),
            await client.post("/v1/chat/completions", json=ASKED, headers=LATE),
            await client.post("/v1/completions", json={}),
            await client.get("/v1/chat/completions"),
        ]
    assert [answer.status_code for answer in told] == [400, 400, 413, 413, 400, 400, 404, 405]
    assert [answer.json()["error"]["param"] for answer in told[4:6]] == [*PACKED, *LATE]
    assert {answer.json()["error"]["type"] for answer in told} <= {
        "invalid_request_error", "not_found_error",
    }  # fmt: skip


async def test_a_door_with_keys_wants_one_and_counts(door):
    keys = {"alice": SecretStr("sk-a"), "bob": SecretStr("sk-b")}
    async with door(door_keys=keys, door_rate=12) as url, plain(url) as client:
        asked = [{}, {"authorization": "Bearer nobody"}, {"authorization": "Bearer sk-a"}]
        asked += [{"x-api-key": "sk-b"}, {"authorization": "bearer sk-a"}]
        asked += [{"authorization": "Bearer sk-a"}]
        told = [await client.get("/v1/models", headers=headers) for headers in asked]
    assert [answer.status_code for answer in told] == [401, 401, 200, 200, 200, 429]
    assert int(told[-1].headers["retry-after"]) > 0
    assert told[-1].json()["error"]["code"] == "rate_limit_exceeded"


async def test_pages_of_other_sites_are_kept_out(door):
    async with door() as url, plain(url) as client:
        marks = [
            {"host": "evil.example"},
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"sec-fetch-site": "cross-site"},
            {"origin": "http://localhost:3000"},
        ]
        told = [await client.get("/v1/models", headers=mark) for mark in marks]
    assert [answer.status_code for answer in told] == [403, 403, 403, 403, 200]


async def test_without_a_model_a_vendors_client_gets_no_rules(door, fake):
    fake.models.clear()
    notes = '<document name="n.md">## Pending\n- Renew the certificate</document>'
    said = [{"role": "user", "content": f"<task>What is still pending?</task>{notes}"}]
    body = {"model": "llama3.1:8b", "messages": said}
    async with door() as url, plain(url) as client:
        told = await client.post("/v1/chat/completions", json=body)
        allowed = await client.post(
            "/v1/chat/completions", json=body, headers={"x-sovereign-offline": "allow"}
        )
    assert (told.status_code, told.json()["error"]["code"]) == (503, "needs_model")
    assert allowed.headers["x-sovereign-engine"] == "offline"
    assert allowed.headers["x-sovereign-notice"]


def test_a_taken_port_is_one_line_and_no_more(caplog):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert server.claim(RouterSettings(door_port=port)) is None
    assert [record.message.count(f"127.0.0.1:{port}") for record in caplog.records] == [1]


def test_others_may_come_in_with_keys_only():
    with pytest.raises(InvalidSetting, match="DOOR_KEYS"):
        server.claim(RouterSettings(door_host="0.0.0.0"))
    keys = {"alice": SecretStr("sk-a")}
    bound = server.claim(RouterSettings(door_host="0.0.0.0", door_port=0, door_keys=keys))
    assert bound is None


def test_a_bucket_refills_with_time():
    now = [0.0]
    bucket = Bucket(60, lambda: now[0])
    for _ in range(10):
        bucket.take()
    with pytest.raises(TooMany) as caught:
        bucket.take()
    assert caught.value.retry_after_s == 1
    now[0] = 1.0
    bucket.take()


def plain(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, timeout=30)


async def _parts(size: int):
    """Send so many bytes without saying before how many they are."""
    for _ in range(size // 100):
        yield b"x" * 100
