import anyio
import pytest

from services.router.running import Running
from shared.errors import Cancelled, Unavailable


async def test_every_request_with_the_id_is_taken_back():
    running, outcomes = Running(), []

    async def work():
        try:
            with running.call("r"):
                await anyio.sleep_forever()
        except Cancelled as error:
            outcomes.append(error.message)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        tasks.start_soon(work)
        await anyio.wait_all_tasks_blocked()
        assert running.cancel("r", "because") == 2
    assert outcomes == ["because"] * 2
    assert len(running) == 0


def test_an_unknown_id_takes_nothing_back():
    assert Running().cancel("nobody", "") == 0


async def test_at_the_end_what_runs_too_long_is_told_to_try_elsewhere():
    running = Running()

    async def work():
        with pytest.raises(Unavailable), running.call("r"):
            await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        await anyio.wait_all_tasks_blocked()
        await running.drain(0.01)
    assert len(running) == 0
