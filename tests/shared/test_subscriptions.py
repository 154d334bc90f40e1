import anyio
import pytest

from shared.errors import NotFound, Unavailable
from shared.subscriptions import subscribed


async def nothing(_):
    return


async def test_what_is_told_from_the_first_moment_is_heard(bus):
    heard, news = [], anyio.Event()

    async def hear(message):
        heard.append(message.data)
        news.set()

    async with subscribed(bus.nc, [("a.one", nothing), ("a.two", hear)]):
        await bus.nc.publish("a.two", b"here")
        with anyio.fail_after(30):
            await news.wait()
    assert heard == [b"here"]


async def test_they_end_with_a_body_that_is_cancelled(bus):
    heard = []

    async def hear(message):
        heard.append(message.data)

    with anyio.CancelScope() as scope:
        async with subscribed(bus.nc, [("a.one", hear)]):
            scope.cancel()
            await anyio.sleep_forever()
    await bus.nc.publish("a.one", b"too late")
    await bus.nc.flush()
    await bus.nc.flush()
    assert heard == []


async def test_a_bus_that_was_lost_hides_no_error_of_the_body(bus):
    with pytest.raises(NotFound):
        async with subscribed(bus.nc, [("a.one", nothing)]):
            await bus.nc.close()
            raise NotFound("what the body wanted")


async def test_a_bus_that_is_lost_is_a_typed_error(bus):
    await bus.nc.close()
    with pytest.raises(Unavailable):
        async with subscribed(bus.nc, [("a.one", nothing)]):
            pass
