import os
import signal

from services.ops.process import LOG_LIMIT, Process, how_it_left, last_line, rotate


async def started(tmp_path, script: str) -> Process:
    return await Process.start(("sh", "-c", script), os.environ, tmp_path / "log")


async def test_the_exit_and_the_last_line_of_this_run_are_seen(tmp_path):
    (tmp_path / "log").write_text("of an earlier run\n")
    process = await started(tmp_path, "echo why; echo; exit 3")
    assert await process.wait() == 3
    assert process.last_line() == "why"
    assert not process.alive


async def test_a_process_that_ignores_the_request_is_killed_after_its_grace(tmp_path):
    process = await started(tmp_path, "trap '' TERM; echo up; while :; do sleep 0.05; done")
    while process.last_line() != "up":
        assert process.alive
        await _turn()
    process.end(0.1)
    assert await process.wait() == -signal.SIGKILL


async def test_killing_takes_what_it_started_along(tmp_path):
    process = await started(tmp_path, "sleep 600 & echo $!; wait")
    while not process.last_line():
        await _turn()
    process.kill()
    await process.wait()
    while _runs(int(process.last_line())):  # the kernel ends them one after the other
        await _turn()


def test_an_exit_is_said_in_words():
    assert how_it_left(1) == "left with code 1"
    assert how_it_left(-9) == "killed by SIGKILL"
    assert how_it_left(-200) == "killed by signal 200"


def test_a_large_log_is_put_aside(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"x" * (LOG_LIMIT + 1))
    rotate(log)
    assert not log.exists()
    assert (tmp_path / "log.1").stat().st_size > LOG_LIMIT


def test_a_log_that_is_not_there_has_no_last_line(tmp_path):
    assert last_line(tmp_path / "none") == ""


async def _turn() -> None:
    import asyncio

    await asyncio.sleep(0.01)


def _runs(pid: int) -> bool:
    import psutil

    try:
        return psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return False
