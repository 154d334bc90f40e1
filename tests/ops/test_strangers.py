from services.ops import strangers
from services.ops.record import Record
from services.ops.strangers import Strangers


def test_a_flood_of_strangers_is_one_entry_with_its_count(monkeypatch):
    record = Record("here", "ops")
    watcher = Strangers(record)
    for number in range(10_000):
        watcher.refused(f"intruder/{number}")
    assert [event.evidence["count"] for event in record.waiting] == [1]
    monkeypatch.setattr(strangers, "EVERY_S", 0.0)
    watcher.refused("x" * 10_000)
    assert record.waiting[-1].evidence["count"] == 10_000
    assert len(record.waiting[-1].cause) < 300
