import pytest

from services.agents.tools.tool import Bench
from services.agents.tools.toolbox import BUILT_IN
from shared.bus import encode
from shared.clock import now
from shared.errors import Unavailable
from shared.events.ops import OpsStatus
from shared.events.sessions import SearchHit, SearchReply
from shared.events.tasks import PlanStep, TaskRequest

HIT = SearchHit(
    event_id="e1", session_id="move", kind="decision", title="Bus", text="We take NATS.",
    actor="ann", at=now(), score=1.0,
)  # fmt: skip
STATUS = OpsStatus(healthy=False, reasons=("router is silent",))
STEP = PlanStep(id="answer", agent="analyzer", title="x", instruction="Do it.")


async def test_rooms_are_asked_and_silence_is_a_typed_error(bus, settings):
    answers = {"session.search": [SearchReply(), SearchReply(hits=(HIT,))], "ops.status": [STATUS]}

    async def respond(message):
        await message.respond(encode(answers[message.subject].pop()))

    for subject in answers:
        await bus.nc.subscribe(subject, cb=respond)
    bench = Bench(bus, settings, TaskRequest(title="x"), STEP)

    async def ask(name, **given) -> str:
        return (await BUILT_IN[name].run(bench, given)).content

    assert "decision by ann in session move] Bus\nWe take NATS." in await ask(
        "search_sessions", query="bus"
    )
    assert await ask("search_sessions", query="bus") == "nothing was found"
    assert "router is silent" in await ask("read_status", what="services")
    with pytest.raises(Unavailable, match=r"model\.status"):
        await ask("read_status", what="engine")
