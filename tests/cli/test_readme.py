"""What the README shows works when it is copied as it stands."""

import asyncio
import re
from pathlib import Path

import orjson
import pytest

from services.ops.banner import HINT, lines
from shared.events import EngineStatus, TaskRequest
from shared.reading import read_subject
from shared.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```\w*\n(.*?)```", README, re.DOTALL)
PAGES = ("docs/bus.md", "docs/sessions.md", "docs/match.md")


def bodies(text):
    """Return every JSON value in quotes of the shell that holds a task."""
    return [orjson.loads(one) for one in re.findall(r"'([\[{]+\"title.*?)'", text, re.DOTALL)]


@pytest.mark.parametrize("page", ["README.md", "docs/bus.md"])
def test_each_task_of_the_examples_is_one_with_a_sentence_to_read(page):
    found = bodies((ROOT / page).read_text(encoding="utf-8"))
    tasks = [task for body in found for task in (body if isinstance(body, list) else [body])]
    given = [TaskRequest.model_validate(task) for task in tasks if task["title"]]
    assert given
    assert all(one.text.endswith(".") for task in given for one in task.attachments)


def test_the_lines_of_up_are_the_real_ones():
    engine = EngineStatus(
        engine="offline", is_llm=False, state="absent", setting="auto", model="", detail=""
    )
    shown = next(block for block in BLOCKS if block.startswith("bus "))
    told = [*lines(Settings(), engine, True), HINT]
    kept = [line for line in told if not line.startswith("data")]
    assert [line for line in shown.splitlines() if not line.startswith("data")] == kept


async def test_the_example_without_a_tool_reaches_the_queue(bus, nats_server):
    port = nats_server.url.rpartition(":")[2]
    script = next(block for block in BLOCKS if "/dev/tcp" in block).replace("4222", port)
    shell = await asyncio.create_subprocess_exec(
        "bash", "-c", script, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await shell.communicate()
    [stored] = await read_subject(bus, "TASKS", "task.request.high")
    assert out.splitlines()[-1] == b"PONG"
    assert TaskRequest.model_validate_json(stored.data).attachments


@pytest.mark.parametrize("page", PAGES)
def test_pages_link_to_files_that_are_there(page):
    path = ROOT / page
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []
