import gc
import weakref

from services.router.errand import Errand
from tests.router.conftest import ask


async def test_the_caller_hears_each_piece_and_is_noticed():
    heard = []

    async def tell(delta):
        heard.append(delta)

    errand = Errand(ask(), tell)
    await errand.on_delta("word")
    assert (heard, errand.told) == (["word"], True)


def test_who_is_told_nothing_has_no_ear():
    assert Errand(ask(), None).on_delta is None


async def test_a_stream_leaves_nothing_to_the_garbage_collector():
    async def tell(delta):
        pass

    heard = weakref.ref(tell)
    gc.disable()
    try:
        errand = Errand(ask(), tell)
        await errand.on_delta("word")
        del errand, tell
        assert heard() is None
    finally:
        gc.enable()
