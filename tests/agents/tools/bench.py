"""A crew whose builder has tools of the test, and a model that says what the test wrote down."""

import json
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio

from services.agents.app import start
from services.agents.crew import Crew
from services.agents.room import open_room
from services.agents.station import Station
from services.agents.tools.tool import Found, Tool, arguments
from services.agents.tools.toolbox import Toolbox
from tests.agents.harness import model, reply


def tool(name="look", effect="pure", run=None, **more) -> Tool:
    """Return a tool that says `saw WHAT`, and remembers its calls in `run.seen`."""

    async def look(bench, given):
        look.seen.append(given["what"])
        return Found(f"saw {given['what']}")

    look.seen = []
    schema = arguments(["what"], what={"type": "string", "maxLength": 40})
    return Tool(name, "Look at something.", schema, effect, run or look, **more)


def call(name="look", what="x", given=None) -> dict:
    text = json.dumps({"what": what}) if given is None else given
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": text}}


@asynccontextmanager
async def crew_with(bus, settings, *tools, name="agents-1", **changes):
    """Run a crew whose builder has these tools and these changes to its file."""
    room = await open_room(bus, settings, name)
    names = (*(each.name for each in tools), *(each.name for each in settings.agents.mcp))
    builder = room.crew["builder"].model_copy(update={"tools": names, **changes})
    toolbox = Toolbox(settings.agents.mcp, tools)
    room = replace(room, toolbox=toolbox, crew=Crew([*room.crew.values(), builder], {}))
    stations = [Station(room, spec) for spec in room.crew.values()]
    async with anyio.create_task_group() as tasks:
        await start(room, stations, tasks)
        yield room
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def saying(bus, *answers):
    """Answer `model.chat` with each of `answers` in turn, then with the last: text or calls."""
    left = list(answers)

    async def answer(request):
        said = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(said, str):
            return reply(request, said)
        return reply(request, "-", tool_calls=said)

    async with model(bus, answer) as asked:
        yield asked
