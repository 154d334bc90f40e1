import random
from array import array

from services.router.embedding.vectors import MAX_BYTES, OVERHEAD, Vector, VectorCache
from shared.events import CacheEvent

EVENT = CacheEvent(kind="miss", key="", of="embed", model="m")


def vector(*values: float) -> Vector:
    return Vector(array("d", values), 3)


def cache(entries: int = 3, ttl_s: float = 60.0) -> tuple[VectorCache, list[CacheEvent], list]:
    told: list[CacheEvent] = []
    at = [0.0]
    return VectorCache(entries, ttl_s, told.append, lambda: at[0]), told, at


def test_numbers_come_back_to_the_last_bit():
    kept, _, _ = cache()
    values = [random.Random(7).uniform(-1, 1) for _ in range(768)]
    kept.put({b"a": vector(*values)}, EVENT)
    assert kept.get(b"a").values.tolist() == values


def test_the_least_recently_used_goes_first():
    kept, told, _ = cache(entries=2)
    kept.put({b"a": vector(1), b"b": vector(2)}, EVENT)
    kept.get(b"a")
    kept.put({b"c": vector(3)}, EVENT)
    assert (kept.get(b"b"), kept.get(b"a")) == (None, vector(1))
    assert [(one.kind, one.key, one.count) for one in told][-1] == ("evict", b"b".hex(), 1)
    assert kept.status().evictions == 1


def test_what_is_too_old_is_not_found_and_takes_no_room():
    kept, _, at = cache(ttl_s=10.0)
    kept.put({b"a": vector(1)}, EVENT)
    at[0] = 10.0
    assert kept.get(b"a") is None
    assert (kept.status().expired, kept.status().entries) == (1, 0)


def test_bytes_bound_it_whatever_the_entries_say():
    kept, _, _ = cache(entries=1_000_000)
    large = Vector(array("d", bytes(8 * 4096)), 1)
    for n in range(1200):
        kept.put({b"%d" % n: large}, EVENT)
    full = MAX_BYTES // (4096 * 8 + OVERHEAD)
    assert kept.status().entries == full
    kept.put({b"0": Vector(array("d", bytes(MAX_BYTES)), 1)}, EVENT)
    assert (kept.get(b"0"), kept.status().entries) == (None, full)


def test_a_batch_is_told_once_for_each_way_with_its_count():
    kept, told, _ = cache()
    kept.looked("hit", [b"a", b"b"], EVENT)
    kept.looked("miss", [b"c"], EVENT)
    kept.looked("coalesced", [], EVENT)
    assert [(one.kind, one.count, one.of) for one in told] == [("hit", 2, "embed"),
                                                               ("miss", 1, "embed")]  # fmt: skip
    assert kept.status().hit_rate == 2 / 3


def test_without_room_nothing_is_kept():
    kept, told, _ = cache(entries=0)
    kept.put({b"a": vector(1)}, EVENT)
    assert (kept.get(b"a"), told) == (None, [])
