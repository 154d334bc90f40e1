"""The hook in a real repository, with the real command, before a crew with a model of one line."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest

from shared.events import EngineStatus
from tests.agents.harness import crew, model, reply, result
from tests.cli.conftest import answer
from tests.conftest import free_port

HOOK = Path(__file__).parents[2] / "deploy" / "hooks" / "pre-push"
GIT = ("-c", "user.name=ann", "-c", "user.email=ann@example.org", "-c", "init.defaultBranch=main")
READY = EngineStatus(engine="ollama", setting="auto", state="ready", is_llm=True, slots=1)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]


@pytest.fixture
def git(tmp_path, settings):
    """Run git in a clone whose push is hooked; gives exit code and stderr."""
    tools, place = tmp_path / "bin", tmp_path / "clone"
    tools.mkdir()
    command = tools / "sovereign"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m cli "$@"\n')
    command.chmod(0o755)
    own = {
        "PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(tmp_path),
        "PYTHONPATH": str(HOOK.parents[2]), "SOVEREIGN_NATS__URL": settings.nats_url,
        "SOVEREIGN_DATA_DIR": str(settings.data_dir), "CREW_REVIEW_SECONDS": "50",
    }  # fmt: skip

    async def run(*words, folder=place, **more):
        kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
        started = await asyncio.create_subprocess_exec(
            "git", *GIT, *words, cwd=folder, env=kept | own | more,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, told = await started.communicate()
        return started.returncode, told.decode()

    return run


async def repository(git, tmp_path):
    """A clone of an empty repository, hooked, with one commit to push."""
    await git("init", "--bare", "other", folder=tmp_path)
    await git("clone", "other", "clone", folder=tmp_path)
    place = tmp_path / "clone"
    shutil.copy(HOOK, place / ".git" / "hooks" / "pre-push")
    (place / "sum.py").write_text("def total(a, b):\n    return a - b\n")
    await git("add", "sum.py")
    await git("commit", "-m", "Add the sum")


async def test_a_bad_verdict_holds_the_push_back_once_and_only_where_it_is_wanted(
    git, tmp_path, bus, settings
):
    async def judge(request):
        return reply(request, "- `return a - b` takes away\n\nVerdict: do not merge")

    await answer(bus, "model.status", READY)
    await repository(git, tmp_path)
    async with model(bus, judge) as asked, crew(bus, settings):
        code, told = await git("push", "origin", "HEAD:main", CREW_REVIEW="block")
        assert (code, "held back" in told) == (1, True)
        assert "return a - b" in asked.asked[0].messages[1].content
        calls = len(asked.asked)
        code, told = await git("push", "origin", "HEAD:main")
        assert (code, "the verdict is: do not merge" in told) == (0, True)
        assert len(asked.asked) == calls


async def test_without_a_model_it_says_so_and_without_a_system_it_holds_nothing_back(
    git, tmp_path, bus, settings
):
    await repository(git, tmp_path)
    nowhere = {"SOVEREIGN_NATS__URL": f"nats://127.0.0.1:{free_port()}"}
    code, told = await git("push", "origin", "HEAD:first", CREW_REVIEW="block", **nowhere)
    assert (code, "not reviewed: sovereign: no NATS server" in told) == (0, True)
    (tmp_path / "clone" / "sum.py").write_text("def total(a, b):\n    return a + b\n")
    await git("commit", "-a", "-m", "Add what was taken away")
    code, told = await git("push", "origin", "HEAD:main", CREW_REVIEW="block")
    assert (code, "no language model is there" in told) == (0, True)
    task_id = told.rsplit("sovereign task show ", 1)[1].split()[0]
    async with crew(bus, settings), model(bus):
        assert (await result(bus, task_id, within=40)).plan.origin == "template"
