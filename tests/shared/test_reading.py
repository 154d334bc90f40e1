from shared.events import TaskRequest
from shared.reading import BATCH, last_of, read_subject
from shared.subjects import task_journal


async def test_reads_one_subject_in_order_and_nothing_else(bus):
    for n in range(3):
        await bus.publish(task_journal("a"), TaskRequest(title=f"a{n}"), f"a{n}")
        await bus.publish(task_journal("b"), TaskRequest(title=f"b{n}"), f"b{n}")
    found = await read_subject(bus, "JOURNAL", task_journal("b"))
    assert [TaskRequest.model_validate_json(m.data).title for m in found] == ["b0", "b1", "b2"]


async def test_reads_only_what_is_new(bus):
    acks = [
        await bus.publish(task_journal("a"), TaskRequest(title=f"{n}"), f"{n}") for n in range(3)
    ]
    found = await read_subject(bus, "JOURNAL", task_journal("a"), after_seq=acks[1].seq)
    assert [m.seq for m in found] == [acks[2].seq]


async def test_reads_more_than_one_page(bus):
    futures = [
        await bus.js.publish_async(task_journal("a"), b'{"title":"x"}') for _ in range(BATCH + 7)
    ]
    await futures[-1]
    assert len(await read_subject(bus, "JOURNAL", task_journal("a"))) == BATCH + 7


async def test_nothing_there_is_an_empty_list(bus):
    assert await read_subject(bus, "JOURNAL", task_journal("none")) == []
    assert await last_of(bus, "JOURNAL", task_journal("none")) is None


async def test_last_of_returns_the_newest(bus):
    for n in range(2):
        await bus.publish(task_journal("a"), TaskRequest(title=f"{n}"), f"{n}")
    assert b'"title":"1"' in (await last_of(bus, "JOURNAL", task_journal("a"))).data
