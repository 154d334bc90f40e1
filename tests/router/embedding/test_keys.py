import pytest

from services.router.embedding.keys import keys
from shared.events import EmbedRequest


def key(engine: str = "ollama", identity: str = "d1", text: str = "a", **fields) -> bytes:
    (found,) = keys(EmbedRequest(input=(text,), **fields), engine, identity)
    return found


@pytest.mark.parametrize("other", [
    {"engine": "openai"}, {"identity": "d2"}, {"text": "b"}, {"model": "m"}, {"tenant": "t2"},
    {"dimensions": 3},
])  # fmt: skip
def test_whatever_changes_the_vector_or_whose_it_is_changes_the_key(other):
    assert key(**other) != key()


def test_who_asks_and_how_does_not_change_the_key():
    same = {"task_id": "t", "agent": "a", "priority": "low", "timeout_s": 1.0, "cache": "always"}
    assert key(**same) == key()


def test_each_text_has_its_own_wherever_it_stands():
    one, two = keys(EmbedRequest(input=("a", "b")), "e", "d")
    assert keys(EmbedRequest(input=("b", "a", "b")), "e", "d") == [two, one, two]


def test_half_a_pair_of_surrogates_is_a_text_like_any_other():
    assert key(text="\ud83d") != key(text="\ud83e")
