import pytest

from services.agents.tools.toolbox import BUILT_IN
from shared.bus import encode
from shared.clock import now
from shared.events.ops import OpsStatus
from shared.events.sessions import SearchHit, SearchReply
from tests.agents.harness import result, submit
from tests.agents.tools.bench import call, crew_with, saying

HIT = SearchHit(
    event_id="e1", session_id="move", kind="decision", title="Bus", text="We take NATS.",
    actor="ann", at=now(), score=1.0,
)  # fmt: skip
STATUS = OpsStatus(healthy=False, reasons=("router is silent",))


@pytest.mark.parametrize(
    ("name", "given", "subject", "answer", "told"),
    [
        ("search_sessions", '{"query": "bus"}', "session.search", SearchReply(hits=(HIT,)), "NATS"),
        ("search_sessions", '{"query": "bus"}', "session.search", SearchReply(), "nothing was"),
        ("read_status", '{"what": "services"}', "ops.status", STATUS, "router is silent"),
        ("read_status", '{"what": "engine"}', "nobody", STATUS, "nobody answers on model.status"),
    ],
)
async def test_rooms_are_asked_and_silence_is_told(
    bus, settings, name, given, subject, answer, told
):
    async def respond(message):
        await message.respond(encode(answer))

    await bus.nc.subscribe(subject, cb=respond)
    calls = [call(name, given=given)]
    async with saying(bus, calls, "- done") as asked, crew_with(bus, settings, BUILT_IN[name]):
        await submit(bus, agent="builder", title="What of the session and the status?")
        await result(bus)
    assert told in asked.asked[1].messages[-1].content
