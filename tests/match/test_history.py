"""A market where some providers keep their word more often than their texts tell."""

import random

import pytest

from services.match.asked import asked
from services.match.pool import gather
from services.match.scoring import best, score
from shared.errors import Conflict
from shared.events import MatchFind, OutcomesAsk
from tests.match.conftest import need, provider

SKILLS = [f"skill{n}" for n in range(12)]


def people(dice: random.Random):
    """Return providers with a hidden quality that no profile shows."""
    made = [
        provider(f"p{n:03}", skills=tuple({"name": name} for name in dice.sample(SKILLS, 5)))
        for n in range(120)
    ]
    return made, {profile.party_id: dice.random() for profile in made}


def season(dice, made, quality, heard):
    """Offer the best provider to each need; return the share that said yes."""
    bodies = [profile.model_dump_json().encode() for profile in made]
    pool = gather(bodies, {}, heard)
    yes = 0
    for number in range(200):
        ready = asked(need(f"n{number}", required=(), nice=tuple(dice.sample(SKILLS, 3))))
        party = pool.ids[best(score(ready, pool), pool, 1, blocked=False)[0]]
        yes += dice.random() < quality[party]
    return yes / 200


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_outcomes_raise_acceptance_over_texts_alone(seed):
    dice = random.Random(seed)
    made, quality = people(dice)
    past = {
        party: (sum(dice.random() < chance for _ in range(8)), 8)
        for party, chance in quality.items()
    }
    blind = season(random.Random(seed), made, quality, {})
    seeing = season(random.Random(seed), made, quality, past)
    assert seeing > blind + 0.1


def said(party, yes, count):
    one = {"client_id": "other", "provider_id": party, "side": "client", "yes": yes}
    return [one] * count


async def test_imported_outcomes_change_the_ranking_once(host):
    async with host() as here:
        await here.add(provider("ana"), provider("bob"), need("n1"))
        tell = OutcomesAsk(key="past", outcomes=said("bob", True, 6) + said("ana", False, 6))
        replies = [await here.handlers.outcomes(tell) for _ in range(3)]
        assert [(one.counted, one.duplicate) for one in replies] == [
            (12, False), (12, True), (12, True),
        ]  # fmt: skip
        found = await here.handlers.find(MatchFind(need_id="n1"))
        assert [one.provider_id for one in found.scores] == ["bob", "ana"]
        with pytest.raises(Conflict, match="key"):
            await here.handlers.outcomes(OutcomesAsk(key="past", outcomes=said("ana", True, 1)))
