"""Tools about tasks: submit one, look at it, cancel it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from mcp.server import MCPServer
from pydantic import Field

from cli import control, requests
from cli.attachments import File
from cli.following import feed_of
from cli.mcp_server.line import Line
from cli.views import acknowledged, known, result_of, view_of
from shared.bus import Bus
from shared.events.tasks import TaskResult
from shared.priorities import PriorityName
from shared.runs import present
from shared.settings import Settings

TaskId = Annotated[str, Field(description="The id that submit_task gave")]
Seconds = Annotated[float, Field(ge=0, le=600, description="Wait so long for the end")]


def register(server: MCPServer, line: Line) -> None:
    """Add the tools of this family."""
    _submit(server, line)
    _get(server, line)
    _cancel(server, line)


def _submit(server: MCPServer, line: Line) -> None:
    @server.tool()
    async def submit_task(
        title: Annotated[str, Field(description="What is to be done, in one line")],
        description: Annotated[str, Field(description="More about it")] = "",
        priority: PriorityName = "normal",
        agent: Annotated[str | None, Field(description="One agent instead of a plan")] = None,
        template: Annotated[str | None, Field(description="A named plan")] = None,
        documents: Annotated[
            dict[str, str] | None, Field(description="Texts to work on: file name to content")
        ] = None,
        task_id: Annotated[str | None, Field(description="Your own id; twice is one task")] = None,
        wait_s: Seconds = 0,
    ) -> dict[str, Any]:
        """Hand a task to the crew; it is stored before this returns its id."""
        fields = {"title": title, "description": description, "priority": priority,
                  "agent": agent, "template": template, "task_id": task_id}  # fmt: skip

        async def work(bus: Bus, settings: Settings) -> dict[str, Any]:
            task = requests.build(fields)
            await requests.send(bus, settings, task, _files(documents or {}))
            if wait_s:
                return await _report(bus, str(task.task_id), wait_s)
            return {"task_id": task.task_id, "state": "queued"}

        return await line.run(work)


def _get(server: MCPServer, line: Line) -> None:
    @server.tool()
    async def get_task(task_id: TaskId, wait_s: Seconds = 0) -> dict[str, Any]:
        """Tell how a task stands: its state, its steps, and the answer once it has ended."""
        return await line.run(lambda bus, _: _report(bus, task_id, wait_s))


def _cancel(server: MCPServer, line: Line) -> None:
    @server.tool()
    async def cancel_task(
        task_id: TaskId, reason: Annotated[str, Field(description="Why, for the record")] = ""
    ) -> dict[str, Any]:
        """Stop a task, the running model call too."""

        async def work(bus: Bus, settings: Settings) -> dict[str, Any]:
            word = await control.give(bus, settings, task_id, control.Word("cancel", reason=reason))
            return {"task_id": word.task_id, "accepted": True}

        return await line.run(work)


def _files(documents: dict[str, str]) -> list[File]:
    return [File(name, text.encode(), "text/plain") for name, text in documents.items()]


async def _report(bus: Bus, task_id: str, wait_s: float) -> dict[str, Any]:
    """Return how the task stands, after its end or after `wait_s` seconds."""
    if wait_s:
        await _wait(bus, task_id, wait_s)
    view, result = await view_of(bus, task_id), await result_of(bus, task_id)
    if ended := present(view, result):
        return _final(ended)
    view = view or await acknowledged(bus, task_id) or await known(bus, task_id)
    return view.model_dump(mode="json", exclude={"seq"}, exclude_defaults=True)


async def _wait(bus: Bus, task_id: str, wait_s: float) -> None:
    feed = await feed_of(bus, task_id)
    try:
        async with asyncio.timeout(wait_s):
            async for change in feed.changes():
                if isinstance(change, TaskResult):
                    return
    except TimeoutError:
        return


def _final(result: TaskResult) -> dict[str, Any]:
    """Return the answer and how it came to be; the steps' outputs are in the answer."""
    told = result.model_dump(mode="json", exclude={"plan", "steps", "timing"})
    steps = [
        step.model_dump(mode="json", include={"step_id", "agent", "state", "reason", "engine"})
        for step in result.steps
    ]
    return {**told, "steps": steps}
