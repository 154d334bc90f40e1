import os
import time

import pytest

from benchmarks.measuring import Rounds, Way, cpu_s, differences, middle, spread


async def test_calls_are_shared_out_over_those_in_flight():
    made = []

    async def one():
        made.append(None)

    assert len(await Way("way", one).go(10, 4)) == len(made) == 10


async def test_a_way_of_another_process_is_gone_by_its_burst():
    async def burst(count, width):
        return [float(width)] * count

    assert await Way("way", burst=burst).go(3, 2) == [2.0, 2.0, 2.0]


def test_what_a_round_adds_is_taken_from_the_same_round_of_the_floor():
    seen, floor = Rounds(medians=[3.0, 13.0, 4.0]), Rounds(medians=[1.0, 11.0, 2.0])
    assert differences(seen, floor) == [2.0, 2.0, 2.0]


def test_the_spread_is_that_of_the_quartiles():
    values = [0.001, 0.002, 0.003, 0.004, 0.1]
    assert middle(values) == 0.003
    assert spread(values) == "2 to 4"


def test_the_cpu_of_a_process_counts_what_it_has_worked():
    before, begin = cpu_s(os.getpid()), time.process_time()
    while time.process_time() - begin < 0.05:
        pass
    assert cpu_s(os.getpid()) > before


def test_the_cpu_of_a_call_is_unknown_without_a_process():
    seen = Rounds(times=[0.1, 0.1], cpu={7: 0.001})
    assert seen.cpu_us(7) == pytest.approx(500)
    assert seen.cpu_us(None) is None
