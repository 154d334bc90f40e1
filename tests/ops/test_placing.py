import os
from contextlib import asynccontextmanager

import anyio
import pytest

from services.ops.children import Child, Spec
from services.ops.good_settings import GoodSettings
from services.ops.placing import Placing
from services.ops.record import Record
from shared.errors import Refused


@asynccontextmanager
async def host(bus, settings, tmp_path):
    """A host that offers room for sessions and runs match."""
    limits = settings.ops.model_copy(update={"offers": ("sessions",), "drain_s": 0.1})
    offering = settings.model_copy(update={"ops": limits})
    record = Record("here", "supervisor")
    good = GoodSettings(tmp_path / "sovereign.toml", tmp_path, record)

    def make(name: str) -> Child:
        return Child(
            Spec(name, ("sleep", "600"), os.environ, tmp_path / name), limits, record, lambda: None
        )

    children = {"match": make("match")}
    async with anyio.create_task_group() as tasks:
        placing = Placing(offering, children, make, good)
        placing.open(bus, tasks)
        yield placing, children
        for child in children.values():
            child.close(0.0)
        tasks.cancel_scope.cancel()


async def test_a_guest_comes_and_goes(bus, settings, tmp_path):
    async with host(bus, settings, tmp_path) as (placing, children):
        placing.place("sessions", "there")
        guest = children["sessions"]
        while guest.pid is None:  # noqa: ASYNC110 - nothing tells of it
            await anyio.sleep(0.01)
        assert guest.describe()["placed_for"] == "there"
        placing.give_back("sessions")
        while "sessions" in children:  # noqa: ASYNC110 - nothing tells of it
            await anyio.sleep(0.01)
        assert guest.pid is None


async def test_what_is_not_offered_or_no_guest_is_refused(bus, settings, tmp_path):
    async with host(bus, settings, tmp_path) as (placing, _):
        with pytest.raises(Refused, match="offers no room for agents"):
            placing.place("agents", "there")
        placing.place("sessions", "there")
        with pytest.raises(Refused, match="already runs"):
            placing.place("sessions", "there")
        with pytest.raises(Refused, match="match is no guest here"):
            placing.give_back("match")
        with pytest.raises(Refused, match="no other settings file"):
            placing.roll_back("a test")


async def test_streams_that_are_gone_are_declared_anew(bus, settings, tmp_path):
    await bus.js.delete_stream("STEPS")
    async with host(bus, settings, tmp_path) as (placing, _):
        assert "as declared" in await placing.declare()
    assert (await bus.js.stream_info("STEPS")).config.name == "STEPS"
