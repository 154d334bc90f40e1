"""The simulation that the figures come from: learning pays where the policy is wrong."""

import statistics

from benchmarks.ops_learning import WORLDS, episodes


def mean(world: int, *, learns: bool) -> float:
    runs = [episodes(WORLDS[world], seed, learns=learns) for seed in range(40)]
    return statistics.mean(took for run in runs for took in run)


def test_where_the_policy_is_wrong_learning_lowers_the_mean_time_to_repair():
    assert mean(1, learns=True) < 0.9 * mean(1, learns=False)


def test_where_the_policy_is_right_learning_costs_little():
    assert mean(0, learns=True) < 1.05 * mean(0, learns=False)


def test_the_same_seed_gives_the_same_repairs():
    assert episodes(WORLDS[1], 3, learns=True) == episodes(WORLDS[1], 3, learns=True)
