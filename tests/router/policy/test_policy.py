from decimal import Decimal

import pytest

from services.router.policy.policy import Policy
from services.router.policy.quality import Quality, Score, wilson
from services.router.prices import Price
from shared.errors import Refused
from shared.events import ChatMessage, ChatOptions, ModelInfo
from shared.settings import CloudModel, PolicyRule, RouterSettings
from tests.router.conftest import ask

SMALL, LARGE = ModelInfo(name="small", size=1), ModelInfo(name="large", size=9)
HELD = (SMALL, LARGE, ModelInfo(name="nomic-embed-text:latest", size=99),
        ModelInfo(name="far", size=100, remote_host="x"))  # fmt: skip
CLOUD = CloudModel(model="openai/x", usd_per_month=1)


def policy(scores: dict[tuple[str, str], Score] | None = None, **settings) -> Policy:
    quality = Quality(None)
    quality._scores = scores or {}
    prices = {"far-cloud": Price(Decimal("0.01"), Decimal("0.01"))}
    return Policy(RouterSettings(**settings), quality, lambda: HELD, prices)


def models(made: Policy, **request) -> tuple[str, ...]:
    return made.choose(ask(**request)).models


def score(good: int, calls: int, seconds: float = 1.0) -> Score:
    return Score(calls=calls, invalid=calls - good, seconds=seconds * calls, answered=calls)


def test_a_name_stands_for_itself_none_for_the_default_an_alias_for_its_list():
    made = policy(aliases={"quick": "small, large"}, fallbacks={"large": "small"})
    assert models(made, model="any:7b") == ("any:7b",)
    assert models(made) == ("llama3.1:8b",)
    assert models(made, model="quick") == ("small", "large")
    assert models(made, model="large") == ("large", "small")


def test_fast_and_smart_go_by_size_until_something_was_measured():
    made = policy()
    assert models(made, model="fast") == ("small",)
    assert models(made, model="smart") == ("large",)
    assert "largest of 2" in made.choose(ask(model="smart")).rule


def test_measured_quality_beats_size_and_says_so():
    made = policy({("small", ""): score(99, 100), ("large", ""): score(70, 100)})
    choice = made.choose(ask(model="smart"))
    assert choice.models == ("small",)
    assert choice.rule == "alias smart: small came out well in 99% of 100, the best of 2"


def test_measured_speed_beats_size_unless_the_answers_are_no_good():
    slow, quick = score(100, 100, 9.0), score(100, 100, 2.0)
    made = policy({("small", ""): slow, ("large", ""): quick})
    assert models(made, model="fast") == ("large",)
    made = policy({("small", ""): slow, ("large", ""): score(10, 100, 1.0)})
    assert models(made, model="fast") == ("small",)


def test_a_rule_may_ask_for_answers_within_a_price():
    rule = {"name": "cheap", "use": ("far-cloud", "small"), "within_usd": 1}
    cloud = CLOUD.model_copy(update={"always": True})
    made = policy(rules=(rule,), clouds={"far-cloud": cloud}, max_tokens=50)
    assert models(made) == ("far-cloud", "small")
    assert models(made, options=ChatOptions(max_tokens=200)) == ("small",)


def test_each_kind_of_work_is_judged_by_its_own_when_there_is_enough_of_it():
    scores = {("small", ""): score(100, 100), ("large", ""): score(50, 100)}
    scores |= {("small", "builder"): score(10, 50), ("large", "builder"): score(50, 50)}
    made = policy(scores)
    assert models(made, model="smart", agent="builder") == ("large",)
    assert models(made, model="smart", agent="analyzer") == ("small",)


def test_the_owner_may_rely_on_size_alone():
    made = policy({("small", ""): score(99, 99), ("large", ""): score(1, 99)}, measured=False)
    assert models(made, model="smart") == ("large",)


def test_an_alias_of_the_owner_that_is_measured_wrong_is_told():
    scores = {("small", ""): score(99, 100), ("large", ""): score(70, 100)}
    (found,) = policy(scores, aliases={"smart": "large"}).better()
    assert (found.setting, found.current, found.proposed) == ("aliases.smart", "large", "small")
    assert policy(scores, aliases={"smart": "small"}).better() == ()
    assert policy(scores, aliases={"smart": "large, small"}).better() == ()
    assert policy(aliases={"smart": "large"}).better() == ()


def test_a_lucky_few_do_not_win():
    assert wilson(20, 20) < wilson(990, 1000)
    assert wilson(0, 0) == 0.0


@pytest.mark.parametrize(
    ("condition", "fits", "other"),
    [
        ({"min_prompt_tokens": 500}, {"text": "word " * 900}, {}),
        ({"max_prompt_tokens": 500}, {}, {"text": "word " * 900}),
        ({"structured": True}, {"format": "json"}, {}),
        ({"tools": False}, {}, {"tools": ({"type": "function"},)}),
        ({"agents": ("builder",)}, {"agent": "builder"}, {"agent": "analyzer"}),
        ({"priorities": ("urgent",)}, {"priority": "urgent"}, {}),
        ({"asked": ("smart",)}, {"model": "smart"}, {"model": "fast"}),
        ({"asked": ("",)}, {}, {"model": "named"}),
    ],
)
def test_the_first_rule_that_fits_decides(condition, fits, other):
    made = policy(rules=(PolicyRule(name="mine", use=("chosen",), **condition),))
    assert made.choose(ask(**fits)).rule == "rule mine"
    assert made.choose(ask(**other)).rule != "rule mine"


def test_images_are_a_condition():
    made = policy(rules=(PolicyRule(name="eyes", images=True, use=("seeing",)),))
    seen = ask().model_copy(
        update={"messages": (ChatMessage(role="user", content="?", images=("aGk=",)),)}
    )
    assert made.choose(seen).models == ("seeing",)


def test_a_rule_with_a_time_takes_only_models_measured_to_keep_it():
    rule = PolicyRule(name="soon", within_s=2.0, use=("small", "large"))
    made = policy({("large", ""): score(99, 99, 1.0), ("small", ""): score(99, 99, 5.0)},
                  rules=(rule,))  # fmt: skip
    assert models(made) == ("large",)
    assert policy(rules=(rule,)).choose(ask()).rule == "default"


def test_a_cloud_is_asked_only_when_it_is_named_allowed_or_always():
    made = policy(clouds={"far": CLOUD}, fallbacks={"llama3.1:8b": "far"}, aliases={"best": "far"})
    assert models(made, model="far") == ("far",)
    assert models(made) == ("llama3.1:8b",)
    assert models(made, clouds=("far",)) == ("llama3.1:8b", "far")
    with pytest.raises(Refused, match="cloud far") as caught:
        made.choose(ask(model="best"))
    assert caught.value.field == "clouds"
    always = policy(clouds={"far": CLOUD.model_copy(update={"always": True})},
                    aliases={"best": "far"})  # fmt: skip
    assert models(always, model="best") == ("far",)
