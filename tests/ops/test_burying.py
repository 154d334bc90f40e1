import orjson
import pytest

from services.ops.burying import Undertaker
from shared.errors import InvalidInput
from shared.events import DeadLetter, TaskRequest
from shared.reading import read_subject


class Told:
    def __init__(self, body: object) -> None:
        self.data = orjson.dumps(body)


def advisory(seq: int, stream: str = "TASKS") -> Told:
    said = {"stream": stream, "consumer": "manager-low", "stream_seq": seq, "deliveries": 5}
    return Told(said)


async def test_a_message_that_nobody_survives_leaves_its_queue_with_the_reason(bus):
    ack = await bus.publish("task.request.low", TaskRequest(title="poison"), "m1")
    await Undertaker(bus).bury(advisory(ack.seq))
    await Undertaker(bus).bury(advisory(ack.seq))
    letters = [
        DeadLetter.model_validate_json(s.data)
        for s in await read_subject(bus, "DEAD", "dead.TASKS")
    ]
    assert [letter.reason.code for letter in letters] == ["max_deliveries"]
    assert "poison" in letters[0].payload
    assert (await bus.js.stream_info("TASKS")).state.messages == 0


async def test_a_record_keeps_what_nobody_survives(bus):
    ack = await bus.publish("agent.result.crew.t1", TaskRequest(title="poison"), "m1")
    await Undertaker(bus).bury(advisory(ack.seq, "RESULTS"))
    assert (await bus.js.stream_info("RESULTS")).state.messages == 1
    assert len(await read_subject(bus, "DEAD", "dead.RESULTS")) == 1


async def test_a_letter_that_nobody_survives_is_not_buried_again(bus):
    ack = await bus.publish("dead.TASKS", TaskRequest(title="poison"), "m1")
    await Undertaker(bus).bury(advisory(ack.seq, "DEAD"))
    assert (await bus.js.stream_info("DEAD")).state.messages == 1


@pytest.mark.parametrize("body", [[], {}, {"stream": "TASKS"}, "text"])
async def test_what_is_no_advisory_is_refused(bus, body):
    with pytest.raises(InvalidInput, match="not an advisory"):
        await Undertaker(bus).bury(Told(body))
