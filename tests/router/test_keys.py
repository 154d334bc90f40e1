import pytest

from services.router.keys import cacheable, key
from shared.events import ChatMessage, ChatOptions
from shared.settings import RouterSettings
from tests.router.conftest import ask


def name(request=None, engine="ollama", identity="d1", **settings) -> str:
    return key(request or ask(model="m"), engine, identity, RouterSettings(**settings))


def test_the_same_request_has_the_same_key():
    assert name() == name(ask(model="m"))


@pytest.mark.parametrize(
    "change",
    [
        {"request": ask(model="n")},
        {"request": ask("other", model="m")},
        {"request": ask(model="m", options=ChatOptions(temperature=0, seed=1))},
        {"request": ask(model="m", options=ChatOptions(temperature=0, stop=("x",)))},
        {"request": ask(model="m", options=ChatOptions(temperature=0, max_tokens=5))},
        {"request": ask(model="m", format="json")},
        {"request": ask(model="m", tools=({"type": "function"},))},
        {"request": ask(model="m", tenant="other")},
        {"engine": "openai"},
        {"identity": "d2"},
        {"num_ctx": 2048},
        {"max_tokens": 10},
    ],
)
def test_whatever_may_change_the_answer_changes_the_key(change):
    assert name(**change) != name()


def test_the_role_and_the_order_of_messages_count():
    turns = (ChatMessage(role="system", content="a"), ChatMessage(role="user", content="b"))
    one, other = (ask(model="m").model_copy(update={"messages": m}) for m in (turns, turns[::-1]))
    assert name(one) != name(other)


def test_the_order_in_a_schema_counts_since_models_write_in_it():
    orders = ({"a": {}, "b": {}}, {"b": {}, "a": {}})
    one, other = (name(ask(model="m", format={"properties": order})) for order in orders)
    assert one != other


def test_what_does_not_reach_the_engine_does_not_count():
    same = ask(model="m", stream=True, timeout_s=5, priority="low", task_id="t", agent="builder")
    assert name(same) == name()


def test_numbers_of_equal_value_are_equal():
    assert name(ask(model="m", options=ChatOptions(temperature=0.0))) == name()


def test_only_what_cannot_vary_is_cached_unless_wished():
    assert cacheable(ask())
    assert cacheable(ask(options=ChatOptions(seed=7, temperature=0.8)))
    assert not cacheable(ask(options=ChatOptions(temperature=0.8)))
    assert not cacheable(ask(options=ChatOptions()))
    assert not cacheable(ask(cache="off"))
    assert cacheable(ask(options=ChatOptions(), cache="always"))
