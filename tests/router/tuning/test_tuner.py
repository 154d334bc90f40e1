import pytest

from services.router.tuning.store import Store
from services.router.tuning.tuner import in_force
from shared.errors import Conflict, InvalidInput, NotFound
from shared.events import Empty, TuningAsk, TuningChange, TuningChanges
from tests.router.conftest import ask, chat, until


async def apply(bus, **fields) -> TuningChange:
    return await bus.request("model.apply", TuningAsk(**fields), TuningChange)


async def applied(bus, recommendation: str) -> TuningChange | None:
    """Apply, or return None while the router that answers has not read the other's record."""
    try:
        return await apply(bus, id=recommendation)
    except NotFound:
        return None


async def rollback(bus, change: TuningChange) -> TuningChange:
    return await bus.request("model.rollback", TuningAsk(id=change.id), TuningChange)


async def changes(bus) -> tuple[TuningChange, ...]:
    return (await bus.request("model.changes", Empty(), TuningChanges)).changes


async def cut_often(bus) -> None:
    """Make three answers that the router's own limit cuts."""
    for n in range(3):
        answer = await bus.nc.request(
            "model.chat", ask(f"many words {n}").model_dump_json().encode(), 5
        )
        assert b"output_cut" in answer.data


async def test_a_recommendation_is_applied_survives_a_restart_and_is_taken_back(bus, router):
    async with router(max_tokens=2) as service:
        await cut_often(bus)
        made = await apply(bus, id="max_tokens", value="500", by="ann")
        assert (made.before, made.after, made.by) == ("2", "500", "ann")
        assert made.measured_before.value == 1.0
        assert service.settings.router.max_tokens == 500
    async with router(max_tokens=2) as service:
        assert service.settings.router.max_tokens == 500
        assert (await chat(bus, ask("many words 0"))).done_reason == "stop"
        assert (await rollback(bus, made)).state == "rolled_back"
        assert service.settings.router.max_tokens == 2
        assert [(one.id, one.state) for one in await changes(bus)] == [(made.id, "rolled_back")]


async def test_the_owners_new_setting_counts_more_than_an_old_change(bus, router):
    async with router(max_tokens=2):
        await cut_often(bus)
        await apply(bus, id="max_tokens")
    async with router(max_tokens=100) as service:
        assert service.settings.router.max_tokens == 100
        assert [one.state for one in await changes(bus)] == ["superseded"]


async def test_a_kept_value_that_is_wrong_by_now_does_not_stop_the_start(bus, router):
    async with router(max_tokens=2):
        await cut_often(bus)
        made = await apply(bus, id="max_tokens")
    wrong = made.model_copy(update={"after": "many"})
    store = Store(bus)
    await store.write((wrong,), (await store.read())[1])
    async with router(max_tokens=2) as service:
        assert service.settings.router.max_tokens == 2


async def test_a_change_reaches_the_other_router(bus, router):
    async with router(max_tokens=2) as one, router(max_tokens=2) as other:
        await cut_often(bus)
        while (made := await applied(bus, "max_tokens")) is None:
            pass
        both = (one.settings.router, other.settings.router)
        await until(lambda: [group.max_tokens for group in both] == [4, 4])
        await rollback(bus, made)
        await until(lambda: [group.max_tokens for group in both] == [2, 2])


async def test_what_cannot_be_applied_is_told(bus, router):
    async with router(max_tokens=2):
        with pytest.raises(NotFound, match="nonsense"):
            await apply(bus, id="nonsense")
        with pytest.raises(NotFound, match="no change"):
            await bus.request("model.rollback", TuningAsk(id="x"), TuningChange)
        await cut_often(bus)
        with pytest.raises(InvalidInput, match="max_tokens"):
            await apply(bus, id="max_tokens", value="a lot")
        with pytest.raises(Conflict, match="already"):
            await apply(bus, id="max_tokens", value="2")


def change(before: str, after: str) -> TuningChange:
    return TuningChange(
        id=f"{before}-{after}", recommendation="r", title="t", setting="s", before=before,
        after=after,
    )  # fmt: skip


def test_changes_build_on_each_other_from_what_is_configured():
    chain = [change("1", "2"), change("2", "4")]
    assert in_force("1", chain) == ("4", [])
    assert in_force("3", chain) == ("3", chain)
