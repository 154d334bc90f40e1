"""Each service, wired as its process wires it, answers what the contract says, and no more."""

import importlib
from contextlib import asynccontextmanager

import anyio
import orjson
import pytest

from shared import rpc
from shared.beats import VERSION
from shared.contract import CHANNELS
from shared.service import Service
from shared.streams import STREAMS

SERVICES = ("router", "agents", "match", "ops", "sessions")
ASKED = [channel for channel in CHANNELS if channel.reply and "{" not in channel.subject]


@asynccontextmanager
async def serving(name, bus, settings):
    lifespan = importlib.import_module(f"services.{name}.app").lifespan
    async with anyio.create_task_group() as tasks:
        service = Service(name, settings, bus, tasks)
        service.endpoints = await rpc.register(bus, name, VERSION, {}, tasks)
        async with lifespan(service):
            yield service
            await service.endpoints.stop()
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("name", SERVICES)
async def test_a_service_answers_its_part_of_the_contract(bus, settings, name):
    offline = settings.model_copy(update={"engine": "offline"})
    async with serving(name, bus, offline) as service:
        own = f"$SRV.INFO.{name}.{service.endpoints._service.id}"
        info = orjson.loads((await bus.nc.request(own, b"", 5)).data)
    answered = {endpoint["subject"] for endpoint in info["endpoints"]}
    assert answered == {channel.subject for channel in ASKED if channel.consumer == name}


def test_each_request_has_a_service_that_answers_it():
    assert {channel.consumer for channel in ASKED} == set(SERVICES)


def test_no_subject_stands_twice():
    subjects = [channel.subject for channel in CHANNELS]
    assert len(subjects) == len(set(subjects))


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.subject)
def test_what_is_said_to_be_stored_is_stored_by_that_stream(channel):
    named = [word for word in channel.carrier.replace(",", "").split() if word.isupper()]
    own = [s.name for s in STREAMS if any(_covers(p, channel.subject) for p in s.subjects)]
    assert own == ([] if channel.carrier.startswith("core") else named)


def _covers(pattern: str, subject: str) -> bool:
    """Tell whether a stream's subject takes in a family such as `task.request.{priority}`."""
    wanted, given = pattern.split("."), subject.split(".")
    return len(wanted) == len(given) and all(
        w in ("*", g) for w, g in zip(wanted, given, strict=True)
    )
