from services.ops import checks
from shared.events import DeadLetter
from shared.events.base import Reason


async def test_a_healthy_host_has_no_advice(bus, tmp_path):
    found = await checks.run_all(bus, tmp_path)
    assert [check.name for check in found] == ["disk", "memory", "streams"]
    assert found[2].advice == ""


async def test_dead_letters_are_pointed_out(bus):
    letter = DeadLetter(
        stream="TASKS", subject="task.request.low", payload="x",
        reason=Reason(code="invalid_input", message="no title"),
    )  # fmt: skip
    await bus.publish("dead.TASKS", letter, "d1")
    assert "1 dead letters" in (await checks.streams(bus)).advice


async def test_a_stream_that_is_gone_is_told(bus):
    await bus.js.delete_stream("STEPS")
    assert "stream STEPS does not answer" in (await checks.streams(bus)).advice


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "LEAST_DISK", 1 << 62)
    assert str(tmp_path) in checks.disk(tmp_path).advice
