import os
from contextlib import asynccontextmanager

import anyio
import pytest

from services.ops.children import Child, Spec
from services.ops.record import Record
from shared.events import Beat
from shared.settings import OpsSettings

LIMITS = OpsSettings(restarts=2, window_s=30, quarantine_s=0.3)


@asynccontextmanager
async def child(tmp_path, script: str):
    record = Record("here", "supervisor")
    spec = Spec("match", ("sh", "-c", script), os.environ, tmp_path / "log")
    made = Child(spec, LIMITS, record, lambda: None)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(made.run)
        yield made, record
        made.close(0.0)


def beat_of(made: Child, state: str = "ready", pid: int | None = None) -> Beat:
    return Beat(
        service="match", instance="match-1", host="here", boot="b",
        pid=pid or made.pid, seq=1, state=state,
    )  # fmt: skip


async def until(condition) -> None:
    while not condition():  # noqa: ASYNC110 - nothing tells of it
        await anyio.sleep(0.01)


def kinds(record: Record) -> list[str]:
    return [event.kind for event in record.waiting]


async def test_a_crash_is_restarted_at_once_with_its_cause(tmp_path):
    async with child(tmp_path, "echo boom; exit 7") as (_, record):
        await until(lambda: "restarted" in kinds(record))
    exited = next(event for event in record.waiting if event.kind == "exited")
    assert exited.cause == "left with code 7: boom"
    restarted = next(event for event in record.waiting if event.kind == "restarted")
    assert restarted.duration_s < 0.1


async def test_a_crash_loop_is_quarantined_after_the_limit_and_probed(tmp_path):
    async with child(tmp_path, "exit 1") as (made, record):
        await until(lambda: kinds(record).count("quarantined") == 2)
        assert "more than 2 restarts in 30 s" in record.waiting[-1].cause
    assert kinds(record).count("exited") == 4
    assert made.restarts == 3


async def test_a_wrong_setting_is_quarantined_at_once_with_its_line(tmp_path):
    async with child(tmp_path, "echo SOVEREIGN_X: wrong; exit 2") as (made, record):
        await until(lambda: "quarantined" in kinds(record))
        assert made.state == "quarantined"
        assert "SOVEREIGN_X: wrong" in made.reason
    assert made.restarts == 0


async def test_ready_is_heard_from_the_living_pid_alone(tmp_path):
    async with child(tmp_path, "sleep 60") as (made, record):
        await until(lambda: made.pid)
        made.heard(beat_of(made, pid=1))
        assert made.state == "starting"
        made.heard(beat_of(made))
        assert made.state == "ready"
        await made.settled()
    assert kinds(record) == ["started", "ready"]


async def test_a_planned_restart_does_not_count_as_a_crash(tmp_path):
    async with child(tmp_path, "sleep 60") as (made, record):
        for number in range(4):
            await until(lambda: made.pid and made.state == "starting")
            made.restart("a person: wanted", 0.0)
            await until(lambda number=number: made.restarts == number + 1)
    assert "quarantined" not in kinds(record)


@pytest.mark.parametrize("state", ["stopped", "quarantined"])
async def test_what_is_held_stays_down_until_it_is_released(tmp_path, state):
    async with child(tmp_path, "sleep 60") as (made, record):
        await until(lambda: made.pid)
        made.hold(state, "a person: wanted", 0.0)
        await until(lambda: made.pid is None and "exited" in kinds(record))
        assert made.state == state
        made.restart("a person: back", 0.0)
        await until(lambda: made.pid)
    assert "restarted" in kinds(record)


async def test_a_program_that_does_not_exist_is_quarantined(tmp_path):
    record = Record("here", "supervisor")
    made = Child(Spec("match", ("/none",), os.environ, tmp_path / "log"), LIMITS, record, int)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(made.run)
        await made.settled()
        assert made.state == "quarantined"
        made.close(0.0)
