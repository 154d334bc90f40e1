import orjson
import pytest

from services.match.asked import asked
from services.match.explain import explain
from services.match.pool import gather
from services.match.scoring import BLOCKED_AT_MOST, best, score
from shared.events import Constraint, Money, Skill
from tests.match.conftest import need, provider, usd


def pair(profile, wanted, load=0, heard=(0, 0), client=(0, 0)):
    """Return the explained score of one provider for one need."""
    body = profile.model_dump_json().encode()
    pool = gather([body], {profile.party_id: load}, {profile.party_id: heard})
    ready = asked(wanted, client)
    return explain(ready, score(ready, pool), 0, profile)


def stored(*profiles) -> list[bytes]:
    return [profile.model_dump_json().encode() for profile in profiles]


def part(found, name, view="client"):
    return next(p for p in found.parts if (p.name, p.view) == (name, view))


def test_the_total_is_the_harmonic_mean_of_both_views():
    found = pair(provider("ana", rate=usd(9000)), need("n1", nice=("go",)))
    one, other = found.client_view, found.provider_view
    assert found.total == pytest.approx(2 * one * other / (one + other), abs=1e-5)


def test_a_view_is_the_mean_of_what_is_known():
    found = pair(provider("ana", rate=usd(9000)), need("n1"))
    known = [p for p in found.parts if p.view == "client" and p.value is not None]
    mean = sum(p.value * p.weight for p in known) / sum(p.weight for p in known)
    assert found.client_view == pytest.approx(mean, abs=1e-5)


def test_unknown_is_missing_and_lowers_confidence_not_the_score():
    full = pair(provider("ana"), need("n1"))
    thin = pair(provider("ana", rate=None), need("n1"))
    assert part(thin, "rate").value is None
    assert "rate and budget in one currency" in thin.missing
    assert thin.confidence < full.confidence
    assert thin.client_view == full.client_view == 1.0


def test_an_empty_profile_is_not_praised():
    found = pair(provider("ana", skills=(), rate=None), need("n1"))
    assert (found.total, found.client_view) == (0.0, 0.0)


def test_other_currencies_are_not_guessed_at():
    found = pair(provider("ana", rate=Money(minor=7000, currency="EUR")), need("n1"))
    assert part(found, "rate").value is None


def test_whole_names_and_synonyms_count_and_parts_of_words_do_not():
    shown = provider("ana", skills=(Skill(name="K8s"), Skill(name="platform"), Skill(name="react")))
    wanted = need("n1", required=(), nice=("kubernetes", "tform", "javascript"))
    assert part(pair(shown, wanted), "skills").value == pytest.approx((1 + 0 + 0.8) / 3, abs=1e-5)


def test_a_hard_limit_is_named_beside_the_score_and_caps_it():
    german = Constraint(field="language", op="has", value="German")
    wanted = need("n1", constraints=(german,))
    blocked = pair(provider("ana", languages=("en",)), wanted)
    assert blocked.blockers == ("language German is needed",)
    assert blocked.total <= BLOCKED_AT_MOST < blocked.client_view
    assert pair(provider("ana", languages=("de-DE",)), wanted).blockers == ()


def test_what_is_not_known_never_blocks():
    wanted = need("n1", constraints=(Constraint(field="rate", op="at_most", value=5000),))
    found = pair(provider("ana", rate=None), wanted)
    assert found.blockers == ()
    assert "cannot tell: the rate may be at most 50.00 USD" in found.missing


def test_a_required_skill_that_a_known_profile_lacks_blocks_and_is_named():
    wanted = need("n1", required=("python", "go"))
    found = pair(provider("ana"), wanted)
    assert found.blockers == ("skill go is needed",)
    assert found.total <= BLOCKED_AT_MOST
    assert (
        pair(provider("ana", skills=(Skill(name="Django"), Skill(name="golang"))), wanted).blockers
        == ()
    )


def test_skills_nobody_knows_do_not_block_but_are_missing():
    found = pair(provider("ana", skills=()), need("n1", required=("go",)))
    assert found.blockers == ()
    assert "cannot tell: skill go is needed" in found.missing


def test_a_rate_far_above_the_budget_blocks_and_says_both():
    found = pair(provider("bob", rate=usd(6000)), need("n1", budget=usd(2000)))
    assert found.blockers == ("rate 60.00 USD is above the budget of 20.00 USD",)
    assert part(found, "rate").value == 0.0
    assert found.parts[0].reason == "asks 60.00 USD, only 20.00 USD is allowed"
    assert found.total <= BLOCKED_AT_MOST


def test_a_rate_a_little_above_the_budget_costs_points_alone_and_no_rate_costs_none():
    wanted = need("n1", budget=usd(2000))
    found = pair(provider("bob", rate=usd(3000)), wanted)
    assert (found.blockers, part(found, "rate").value) == ((), 0.0)
    unknown = pair(provider("bob", rate=None), wanted)
    assert (unknown.blockers, part(unknown, "rate").value) == ((), None)
    assert pair(provider("bob", rate=Money(minor=9000, currency="EUR")), wanted).blockers == ()


def test_a_hint_says_what_would_come_of_it():
    wanted = need("n1", nice=("go",))
    now = pair(provider("ana", rate=usd(10_000)), wanted)
    then = pair(provider("ana", rate=usd(8000)), wanted)
    gain = then.total - now.total
    assert f"+{gain:.2f} if the rate is at most 80.00 USD" in now.hints


def test_history_speaks_for_a_provider():
    rates = [
        part(pair(provider("a"), need("n"), heard=h), "history").value for h in ((9, 10), (1, 10))
    ]
    assert rates == pytest.approx([11 / 14, 3 / 14], abs=1e-5)


def test_the_same_pair_scores_the_same_in_any_pool():
    bodies = [
        provider(f"p{n}", rate=usd(5000 + 100 * n)).model_dump_json().encode() for n in range(99)
    ]
    ready = asked(need("n1", text="Build an API", required=("python", "go")))
    alone = score(ready, gather(bodies[41:42], {}, {})).total[0]
    among = score(ready, gather(bodies, {}, {})).total[41]
    assert alone == among


def test_the_best_come_first_with_ties_in_order():
    bodies = [
        provider(f"p{n}", rate=usd(12_000 - 1000 * (n % 3))).model_dump_json().encode()
        for n in range(9)
    ]
    pool = gather(bodies, {}, {})
    assert best(score(asked(need("n1")), pool), pool, 4, blocked=False) == [2, 5, 8, 1]


def test_texts_are_held_against_the_need():
    bio = "Payment APIs for banks.\n\nA ledger with double entry for a payment company."
    near = pair(provider("ana", bio=bio), need("n1", text="A payment ledger for banks"))
    far = pair(provider("ana", bio="Gardens and fish ponds."), need("n1", text="A payment ledger"))
    assert part(near, "text").value > 0.5 > part(far, "text").value == 0.0
    assert orjson.loads(near.model_dump_json())["total"] > far.total


def test_of_two_known_by_their_texts_alone_the_closer_one_is_first():
    near = provider("zoe", skills=(), rate=None, bio="ledgers audits invoices taxes")
    far = provider(
        "ana", skills=(), rate=None, bio="ledgers audits gardens horses boats poems bread music"
    )
    ready = asked(need("n1", required=(), budget=None, text="ledgers audits invoices taxes"))
    pool = gather(stored(far, near), {}, {})
    first, second = best(scores := score(ready, pool), pool, 2, blocked=False)
    assert [pool.ids[first], pool.ids[second]] == ["zoe", "ana"]
    assert scores.total[first] > scores.total[second] + 0.01
