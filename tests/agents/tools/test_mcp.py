"""Tools of real MCP servers, each a process of its own."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from services.agents.tools.mcp_link import McpLink
from services.agents.tools.mcp_tools import tools_of
from services.agents.tools.tool import ToolFailed
from shared.bus import reachable
from shared.errors import TimedOut, Unavailable
from shared.events.tasks import TaskState
from shared.settings import McpServer
from tests.agents.harness import result, submit, until, until_state
from tests.agents.tools.bench import call, crew_with, saying
from tests.conftest import free_port

pytestmark = pytest.mark.timeout(180)

HERE = Path(__file__).parent
HONEST = (sys.executable, str(HERE / "honest_server.py"))
LIAR = (sys.executable, str(HERE / "lying_server.py"))


def server(command=LIAR, **more) -> McpServer:
    given = {"name": "srv", "allow": ("*",), "timeout_s": 60.0} | more
    return McpServer(**given) if "url" in given else McpServer(command=command, **given)


@asynccontextmanager
async def linked(*args, **more):
    link = McpLink(server(*args, **more))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(link.run)
        yield link
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def web_server():
    """Run the honest server over HTTP in its own process; yield its address."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(*HONEST, str(port), stderr=DEVNULL)
    try:
        await until(lambda: reachable(f"127.0.0.1:{port}"), 120)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        await process.wait()


async def test_allowed_tools_of_a_process_are_called_and_its_no_is_told(bus, settings):
    settings.agents.mcp = (server(HONEST, allow=("add", "fail"), effect="pure"),)
    answers = [
        [call("srv__add", given='{"a": 2, "b": 40}'), call("srv__fail", given="{}")],
        [call("srv__secret", given="{}")],
        "- 42",
    ]
    async with saying(bus, *answers) as asked, crew_with(bus, settings):
        await submit(bus, agent="builder")
        done = await result(bus, within=120)
    offered = [each["function"]["name"] for each in asked.asked[0].tools]
    assert offered == ["srv__add", "srv__fail"]
    first, second = [message.content for message in asked.asked[1].messages[-2:]]
    assert "42" in first
    assert "error: fail: Error executing tool fail" in second
    assert "there is no tool 'srv__secret'" in asked.asked[2].messages[-1].content
    assert (done.answer, done.steps[0].notice) == ("- 42", "")


async def test_a_server_at_an_address_is_asked_and_missed_when_it_is_gone():
    async with web_server() as url, linked(url=url) as link:
        (add,) = await tools_of(link, frozenset({"add"}))
        assert (await add.run(None, {"a": 1, "b": 2})).content == "3"
    async with linked(url=url) as link:
        with pytest.raises(Unavailable, match="MCP server srv"):
            await link.tools()


async def test_what_a_server_says_of_itself_is_not_believed():
    async with linked(effects={"hang": "pure"}) as link:
        tools = await tools_of(link)
    assert [tool.name for tool in tools] == ["srv__die", "srv__hang", "srv__odd"]
    assert [tool.effect for tool in tools] == ["once", "pure", "once"]
    assert len(tools[0].description) <= 300


async def test_a_server_that_dies_is_a_typed_error_and_is_started_again():
    async with linked() as link:
        with pytest.raises(Unavailable, match="MCP server srv"):
            await link.call("die", {})
        assert await link.tools()
        with pytest.raises(Unavailable, match="what the protocol does not allow"):
            await link.call("odd", {})


async def test_a_server_that_never_answers_is_given_up():
    async with linked() as link:
        await link.tools()
        link.server.timeout_s = 0.1
        with pytest.raises(TimedOut, match=r"no answer in 0\.1 s"):
            await link.call("hang", {})


@pytest.mark.parametrize("command", [("/no/such/program",), (sys.executable, "-c", "")])
async def test_a_server_that_cannot_be_started_is_away(command):
    async with linked(command) as link:
        with pytest.raises(Unavailable, match="MCP server srv"):
            await link.tools()
        with pytest.raises(ToolFailed):
            await link.call("x", {})


async def test_the_crew_goes_on_without_a_server_that_is_away_and_says_so(bus, settings):
    settings.agents.mcp = (server(("/no/such/program",)),)
    async with saying(bus, "- by hand"), crew_with(bus, settings):
        await submit(bus, agent="builder")
        done = await result(bus, within=120)
    assert (done.state, done.answer) == (TaskState.DONE, "- by hand")
    assert "went on without tools: MCP server srv" in done.notice


async def test_a_death_amid_a_call_that_may_be_made_once_waits_for_a_person(bus, settings):
    settings.agents.mcp = (server(),)
    async with saying(bus, [call("srv__die", given="{}")]), crew_with(bus, settings):
        await submit(bus, agent="builder")
        record = await until_state(bus, TaskState.WAITING, within=120)
    assert next(iter(record.steps.values())).waiting.code == "tool_unsettled"
