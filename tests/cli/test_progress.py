import asyncio
import os
import pty
import re
import sys
from datetime import UTC, datetime, timedelta

import pytest

from cli.progress import Lines
from shared.events import LiveUpdate, TaskState
from tests.cli import crew

COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7][0-9;]*m")
STYLE = re.compile(r"\x1b\[[1-9][0-9;]*m")


async def on_terminal(bus, settings, tmp_path, **environment):
    """Submit and wait with a terminal as stderr; return what the terminal got, and stdout."""
    ours, theirs = pty.openpty()
    variables = {"SOVEREIGN_NATS__URL": settings.nats_url, "TERM": "xterm-256color"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", "task", "submit", "Read it", "--wait",
        stdout=asyncio.subprocess.PIPE, stderr=theirs, cwd=tmp_path,
        env=os.environ | variables | environment,
    )  # fmt: skip
    os.close(theirs)
    (out, _), _ = await asyncio.gather(process.communicate(), crew.work(bus))
    shown = os.read(ours, 1_000_000).decode()
    os.close(ours)
    return shown, out.decode()


async def test_a_terminal_gets_a_styled_table_and_its_cursor_back(bus, settings, tmp_path):
    shown, out = await on_terminal(bus, settings, tmp_path)
    assert "✓ s1" in shown
    assert STYLE.search(shown)  # a task that is done at once has no running step to colour
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    assert out == "First the keys, then the rest.\n"


async def test_no_color_is_obeyed(bus, settings, tmp_path):
    shown, _ = await on_terminal(bus, settings, tmp_path, NO_COLOR="1")
    assert "✓ s1" in shown
    assert not COLOUR.search(shown)


def test_lines_tell_each_change_once(capsys):
    lines = Lines(err=True)
    for shown in (crew.view("t"), crew.view("t"), crew.view("t", TaskState.DONE, TaskState.DONE)):
        lines.show(shown)
    told = [line[9:] for line in capsys.readouterr().err.splitlines()]
    assert told == [
        "task running", "plan by rule: s1 (analyzer)", "step s1 running analyzer here",
        "step s1 done analyzer here", "task done",
    ]  # fmt: skip


def test_lines_end_with_the_result_at_the_time_of_each_change(capsys):
    lines, at = Lines(err=True), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    step = crew.view("t").steps[0].model_copy(update={"started_at": at})
    shown = crew.view("t").model_copy(update={"steps": (step,), "updated_at": at})
    lines.show(shown)
    lines.show(LiveUpdate(task_id="t", step_id="s1", kind="state", state=TaskState.DONE))
    lines.show(crew.result("t").model_copy(update={"at": at + timedelta(seconds=2)}))
    told = capsys.readouterr().err.splitlines()
    assert [line[9:] for line in told[-2:]] == ["step s1 done analyzer offline", "task done"]
    assert [line[:8] for line in (*told[:3], told[-1])] == [
        f"{moment.astimezone():%H:%M:%S}" for moment in (at, at, at, at + timedelta(seconds=2))
    ]


@pytest.mark.parametrize("word", ["\x1b[2J", "a\nb"])
def test_a_hostile_title_stays_in_its_line(capsys, word):
    step = crew.view("t").steps[0].model_copy(update={"agent": word})
    Lines(err=True).show(crew.view("t").model_copy(update={"steps": (step,)}))
    told = capsys.readouterr().err
    assert "\x1b" not in told
    assert told.count("\n") == 3
