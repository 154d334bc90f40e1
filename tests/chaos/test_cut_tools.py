"""A step with tools and a critic, its crew cut off at each journal entry in turn."""

import asyncio
import json
from collections import Counter

import pytest

from services.agents.tools.tool import Found
from shared.bus import open_bus
from shared.events.tasks import TaskControl, TaskState
from tests.agents.harness import entries, model, reply, result, submit, until_state
from tests.agents.tools.bench import call, crew_with, tool

pytestmark = pytest.mark.chaos

LAST = 11
"""The step's entry after which nothing is left to lose: queued, planned, started, 2 x (answer,
call), the begin of the second call, answer, verdict, end."""


def tools_of(did: list[str]):
    """Return a pure tool and one that may be called once; both write down that they ran."""

    def made(name, effect):
        async def run(bench, given):
            did.append(name)
            return Found("ok")

        return tool(name, effect, run)

    return made("look", "pure"), made("deploy", "once")


async def answer(request):
    """Look, deploy, answer; as the critic, agree."""
    if request.agent == "critic":
        return reply(request, json.dumps({"problems": [], "pass": True}))
    told = [message for message in request.messages if message.role == "tool"]
    wanted = [[call("look")], [call("deploy")], ()][len(told)]
    return reply(request, "- done", tool_calls=wanted)


async def agree(bus) -> bool:
    """Approve the call that nobody knows the end of, once the step waits for that."""
    record = await until_state(bus, TaskState.WAITING, within=60)
    (step,) = record.steps.values()
    assert step.waiting.code == "tool_unsettled"
    word = TaskControl(action="approve", task_id="t1", step=step.step.id)
    await bus.publish("task.control.t1", word, "word")
    return True


async def cut_at(bus, settings, tools, position):
    """Run a crew until the journal has `position` entries, then cut its connection."""
    seen = asyncio.Queue()
    heard = await bus.nc.subscribe("task.journal.t1", cb=seen.put)
    await bus.nc.flush()
    async with (
        open_bus(settings, "agents") as own,
        crew_with(own, settings, *tools, verify="critic"),
    ):
        await submit(bus, agent="builder")
        for _ in range(position):
            await asyncio.wait_for(seen.get(), 30)
        await own.nc.close()
    await heard.unsubscribe()


@pytest.mark.parametrize("position", range(3, LAST + 1))
async def test_no_answer_and_no_call_is_paid_twice(bus, settings, position):
    settings.agents.ack_wait_s = 1.0
    did: list[str] = []
    tools = tools_of(did)
    async with model(bus, answer) as asked:
        await cut_at(bus, settings, tools, position)
        async with crew_with(bus, settings, *tools, name="agents-2", verify="critic"):
            agreed = asyncio.create_task(agree(bus))
            done = await result(bus, within=60)
            unsettled = agreed.done()
            agreed.cancel()
    keys = Counter((e.kind, e.key) for e in await entries(bus) if hasattr(e, "key"))
    answered = [key for kind, key in keys if kind == "model_answered"]
    assert (done.state, done.steps[0].verified) == (TaskState.DONE, True)
    assert max(n for (kind, _), n in keys.items() if kind != "tool_started") == 1
    assert Counter(did)["deploy"] <= 1 + unsettled
    assert len(asked.asked) - len(answered) <= 1
