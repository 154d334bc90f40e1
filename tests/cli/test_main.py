import subprocess
import sys

import pytest

from tests.cli.conftest import ended

HEAVY = ("nats", "pydantic", "pydantic_settings", "rich", "aiohttp", "asyncio")


def test_building_the_command_tree_imports_nothing_heavy():
    code = f"import cli.main, sys; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_deferred_module_is_the_real_one_once_used():
    code = (
        "import sys; from cli.main import Later; sys.modules['colorsys'] = Later('colorsys');"
        "import colorsys; print(colorsys.rgb_to_hsv(0, 0, 1)[2], type(sys.modules['colorsys']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1 <class 'module'>"


def test_help_groups_the_commands(run):
    done = run("--help")
    assert done.exit_code == 0
    assert [head for head in ("Start:", "Work:", "Look:", "Help:") if head in done.stdout]
    for command in ("up", "run", "status", "task", "ask", "ops", "session", "match", "savings"):
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize("group", ["task", "ops", "session", "match", "model", "config"])
def test_a_group_alone_shows_its_help(run, group):
    done = run(group)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Commands:" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("taks",), "Did you mean 'task'"),
        (("task", "submit"), "see `sovereign task submit --help`"),
        (("status", "--nope"), "see `sovereign status --help`"),
        (("task", "list", "--limit", "0"), "--limit"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(run, arguments, said):
    done = run(*arguments)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


def test_a_wrong_setting_is_one_line_that_names_the_variable(run, monkeypatch):
    monkeypatch.setenv("SOVEREIGN_ROUTER__SLOTS", "many")
    done = run("status")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "SOVEREIGN_ROUTER__SLOTS" in done.stderr


def test_no_server_is_one_line_with_the_next_command(run, monkeypatch):
    monkeypatch.setenv("SOVEREIGN_NATS__URL", "nats://127.0.0.1:1")
    done = run("task", "list")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "sovereign up" in done.stderr


async def test_the_module_is_the_command(process):
    done = await ended(await process("schema", "Beat"))
    assert (done.exit_code, done.stderr) == (0, "")
    assert '"title": "Beat"' in done.stdout


async def test_a_closed_pipe_is_no_traceback(process):
    started = await process("schema")
    started.stdout._transport.close()
    await started.wait()
    assert b"Traceback" not in await started.stderr.read()
