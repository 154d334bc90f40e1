from typing import Literal

import pytest
from pydantic import BaseModel, ValidationError

from shared.bus import invalid, open_bus, reachable
from shared.errors import Conflict, InvalidInput, Unavailable
from shared.events import Beat, Money, TaskRequest
from shared.settings import NatsSettings, Settings
from shared.subjects import task_journal, task_request
from tests.conftest import free_port


async def test_publish_with_the_same_id_is_stored_once(bus):
    first = await bus.publish(task_request("high"), TaskRequest(title="one"), "same")
    second = await bus.publish(task_request("high"), TaskRequest(title="one"), "same")
    assert (first.seq, second.duplicate) == (second.seq, True)


async def test_fenced_publish_refuses_a_stale_writer(bus):
    subject = task_journal("t1")
    await bus.publish(subject, TaskRequest(title="first"), "a", expected_seq=0)
    with pytest.raises(Conflict):
        await bus.publish(subject, TaskRequest(title="late"), "b", expected_seq=0)


async def test_publish_refuses_a_body_that_is_too_large(bus):
    huge = TaskRequest(title="x", description="y" * 999_999, template=None)
    attachments = tuple({"name": f"{n}", "text": "z" * 1_000_000} for n in range(3))
    task = TaskRequest.model_validate(huge.model_dump() | {"attachments": attachments})
    with pytest.raises(InvalidInput):
        await bus.publish(task_request("low"), task, "big")


async def test_publish_survives_a_server_restart(bus, settings, nats_server):
    nats_server.kill()
    nats_server.start()
    async with open_bus(settings, "again") as again:
        ack = await again.publish(task_request("low"), TaskRequest(title="after"), "after")
    assert ack.stream == "TASKS"


async def test_request_without_a_responder_fails_at_once(bus):
    with pytest.raises(Unavailable, match="nobody answers"):
        await bus.request("nobody.here", TaskRequest(title="x"), Beat)


async def test_open_bus_names_the_setting_when_no_server_answers():
    settings = Settings(nats=NatsSettings(url=f"nats://127.0.0.1:{free_port()}"))
    with pytest.raises(Unavailable, match="SOVEREIGN_NATS__URL"):
        async with open_bus(settings, "test"):
            pass


async def test_reachable_tries_every_server_of_the_list(nats_server):
    assert await reachable(f"nats://127.0.0.1:{free_port()},{nats_server.url}")


class Sample(BaseModel):
    """A field of every kind that people get wrong."""

    state: Literal["open", "closed", "paid"] = "open"
    count: int = 0


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        (Sample, {"state": "x"}, "state: must be one of 'open', 'closed', 'paid'"),
        (Sample, {"count": "x"}, "count: must be a valid integer"),
        (Money, {"minor": 1, "currency": "euro"}, "currency: must be three capital letters"),
        (TaskRequest, {"title": " "}, "title: must not be empty"),
        (TaskRequest, {"title": "x", "task_id": "a.b"}, "task_id: must be 1 to 64 letters"),
        (TaskRequest, {"title": "x" * 10_001}, "title: is longer than 10000 characters"),
    ],
)
def test_a_body_that_does_not_fit_is_told_in_one_plain_line(kind, fields, said):
    with pytest.raises(ValidationError) as caught:
        kind.model_validate(fields)
    line = invalid(caught.value).message
    assert line.startswith(said)
    assert "\n" not in line
