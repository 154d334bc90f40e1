"""What waits for each agent, and the agents' own files."""

from services.dashboard.pages.agents import at_work, definitions
from services.dashboard.pages.queues import Queues, queues
from shared import events as e
from tests.dashboard.test_crew import view


async def test_what_waits_is_told_by_priority(parts):
    await parts.bus.js.publish("task.request.low", b'{"title": "a"}')
    seen = Queues(parts.bus)
    await seen.look()
    row = queues(seen).partition('id="queue-manager"')[2]
    waiting = [cell.partition("<")[0] for cell in row.split('<td class="right num">')[1:6]]
    assert sorted(waiting) == ["0", "0", "0", "0", "1"]


async def test_a_queue_that_cannot_be_read_says_why(busless):
    seen = Queues(busless.bus)
    await seen.look()
    assert "the bus is lost" in queues(seen)


def test_an_agent_is_shown_as_it_is_defined(store):
    info = {"instance": "agents-1", "host": "here", "slots": 1, "busy": 0, "description": "x"}
    agent = e.AgentInfo(name="builder", definition="prompt: <b>You", **info)
    faults = {"odd": "odd.yaml:3: bad"}
    roster = e.AgentRoster(instance="agents-1", host="here", agents=(agent,), faults=faults)
    store.answer("agent.status", roster)
    shown = definitions(store)
    assert "prompt: &lt;b&gt;You" in shown
    assert "odd is left out: odd.yaml:3: bad" in shown


def test_without_a_roster_there_is_no_empty_card(store):
    assert definitions(store) == ""


def test_nobody_works_on_what_a_person_has_ended(store):
    step = e.StepView(id="s1", title="a", agent="builder", state=e.TaskState.WAITING)
    store.fold(view("t1", state="waiting", steps=(step,)))
    assert "work-t1-s1" in at_work(store)
    store.fold(view("t1", state="cancelled", steps=(step,), seq=2))
    assert "Nobody is busy" in at_work(store)
