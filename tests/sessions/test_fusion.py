import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sessions.fusion import Spot, fuse, named

SCORES = st.dictionaries(st.integers(1, 30), st.floats(0, 50), min_size=1, max_size=15)


def spots(seqs):
    return {seq: Spot(seq % 3, seq // 3, f"actor {seq % 2}") for seq in seqs}


@given(SCORES)
def test_every_event_is_ranked_once_and_its_parts_sum_up(scores):
    ranked = fuse(scores, spots(scores), ["actor 1"], 40)
    assert sorted(hit.seq for hit in ranked) == sorted(scores)
    assert all(hit.score == pytest.approx(sum(hit.parts.values())) for hit in ranked)


@given(SCORES)
def test_the_unit_of_scores_does_not_matter(scores):
    order = [hit.seq for hit in fuse(scores, spots(scores), (), 40)]
    doubled = {seq: 2 * score for seq, score in scores.items()}
    assert [hit.seq for hit in fuse(doubled, spots(scores), (), 40)] == order


def test_people_are_named_and_machines_are_not():
    found = {1: Spot(1, 1, "Ann Lee"), 2: Spot(1, 2, "import"), 3: Spot(1, 3, "Bob")}
    assert named(["ann", "import"], found) == {"Ann Lee"}


@pytest.mark.skipif("SOVEREIGN_LOCOMO" not in os.environ, reason="SOVEREIGN_LOCOMO is not set")
def test_evidence_is_recalled_without_a_model(tmp_path):
    from benchmarks.sessions_recall import outcomes_of

    text = Path(os.environ["SOVEREIGN_LOCOMO"]).read_text()
    outcomes = asyncio.run(outcomes_of(text, tmp_path))
    held_out = [outcome["fused", 10] for outcome in outcomes if outcome["held_out"]]
    assert sum(held_out) / len(held_out) >= 0.68
