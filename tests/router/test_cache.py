from services.router.cache import Cache
from services.router.engine import Answer
from shared.events import CacheEvent

EVENT = CacheEvent(kind="miss", key="a", model="m", engine="ollama")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def made(entries: int = 2):
    told, clock = [], Clock()
    return Cache(entries, 60.0, told.append, clock), told, clock


def answer(text: str = "x") -> Answer:
    return Answer(content=text, model="m")


def test_what_was_put_is_found_until_its_time_is_over():
    cache, _, clock = made()
    cache.put("a", answer(), EVENT)
    clock.now = 59.9
    assert cache.get("a", EVENT) == answer()
    clock.now = 60.0
    assert cache.get("a", EVENT) is None


def test_the_least_recently_used_goes_first():
    cache, told, _ = made(entries=2)
    for name in ("a", "b"):
        cache.put(name, answer(name), EVENT)
    cache.get("a", EVENT)
    cache.put("c", answer("c"), EVENT)
    assert cache.get("b", EVENT) is None
    assert cache.get("a", EVENT) == answer("a")
    assert [(event.kind, event.key) for event in told if event.kind == "evict"] == [("evict", "b")]


def test_it_tells_what_it_does_and_counts():
    cache, told, _ = made()
    cache.looked("miss", EVENT)
    cache.put("a", answer(), EVENT)
    cache.get("a", EVENT)
    cache.looked("coalesced", EVENT)
    assert [event.kind for event in told] == ["miss", "store", "hit", "coalesced"]
    status = cache.status()
    assert (status.hits, status.misses, status.coalesced) == (1, 1, 1)
    assert status.hit_rate == 2 / 3


def test_without_room_nothing_is_kept():
    cache, told, _ = made(entries=0)
    cache.put("a", answer(), EVENT)
    assert cache.get("a", EVENT) is None
    assert told == []


def test_no_look_is_no_rate():
    assert made()[0].status().hit_rate is None
