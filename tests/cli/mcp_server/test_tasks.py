"""The tools as an MCP client sees them: the SDK's own client, in process and over stdio."""

import os
import sys
from contextlib import asynccontextmanager

from mcp import Client, StdioServerParameters

from cli.mcp_server.line import Line
from cli.mcp_server.server import build
from shared.events import Reason, TaskControl, TaskRequest, TaskState
from shared.reading import read_subject
from tests.cli import crew


@asynccontextmanager
async def client_of(settings):
    """A client of `sovereign mcp`, which runs beside the server of `settings`."""
    given = {
        "SOVEREIGN_NATS__URL": settings.nats_url,
        "SOVEREIGN_DATA_DIR": str(settings.data_dir),
    }
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "cli", "mcp"], env=os.environ | given,
        cwd=str(settings.data_dir.parent),
    )  # fmt: skip
    async with Client(command) as client:
        yield client


async def test_a_client_submits_a_task_sees_it_run_and_gets_its_answer(settings, bus):
    async with client_of(settings) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert {"submit_task", "get_task", "cancel_task"} <= names
        documents = {"notes.md": "# Notes"}
        given = {"title": "Read it", "priority": "high", "documents": documents, "task_id": "mine"}
        done = await client.call_tool("submit_task", given)
        [stored] = await read_subject(bus, "TASKS", "task.request.high")
        task = TaskRequest.model_validate_json(stored.data)
        assert (done.structured_content, task.attachments[0].text) == (
            {"task_id": "mine", "state": "queued"}, "# Notes",
        )  # fmt: skip
        await crew.put(bus, crew.view("mine"))
        seen = await client.call_tool("get_task", {"task_id": "mine"})
        assert seen.structured_content["state"] == "running"
        await crew.finish(bus, crew.result("mine"))
        seen = await client.call_tool("get_task", {"task_id": "mine", "wait_s": 30})
        assert seen.structured_content["answer"] == "First the keys, then the rest."
        assert seen.structured_content["engine"] == "offline"


async def test_cancelling_and_mistakes_are_told_in_one_line(settings, bus):
    async with Line(settings) as line, Client(build(line)) as client:
        unknown = await client.call_tool("get_task", {"task_id": "nobodys"})
        wrong = await client.call_tool("submit_task", {"title": "x", "agent": "no body"})
        assert unknown.is_error
        assert "not_found: no task nobodys" in unknown.content[0].text
        assert "invalid_input: agent" in wrong.content[0].text
        await crew.put(bus, crew.view("mine"))
        await client.call_tool("cancel_task", {"task_id": "mine", "reason": "too dear"})
        [stored] = await read_subject(bus, "TASKS_CONTROL", "task.control.mine")
        word = TaskControl.model_validate_json(stored.data)
        assert (word.action, word.reason) == ("cancel", "too dear")
        over = crew.view("mine", TaskState.FAILED, TaskState.FAILED, Reason(code="x", message="y"))
        await crew.put(bus, over)
        late = await client.call_tool("cancel_task", {"task_id": "mine"})
        assert "conflict: task mine has ended" in late.content[0].text


async def test_an_argument_that_no_tool_has_is_refused_by_its_name(settings, bus):
    async with Line(settings) as line, Client(build(line)) as client:
        wrong = await client.call_tool("submit_task", {"title": "x", "piority": "high"})
        assert wrong.is_error
        assert "invalid_input: 'piority' is no argument" in wrong.content[0].text
        assert await read_subject(bus, "TASKS", "task.request.*") == []
        for tool in (await client.list_tools()).tools:
            assert tool.input_schema["additionalProperties"] is False


async def test_without_a_server_every_call_says_how_to_start_one(settings, nats_server):
    nats_server.kill()
    async with Line(settings) as line, Client(build(line)) as client:
        done = await client.call_tool("get_task", {"task_id": "mine"})
        assert done.is_error
        assert "sovereign up" in done.content[0].text
