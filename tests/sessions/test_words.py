from hypothesis import given
from hypothesis import strategies as st

from services.sessions import words


def test_words_are_lower_case_and_without_syntax():
    assert words.words('The "quick" (brown) NEAR/2 fox_trot*') == [
        "the", "quick", "brown", "near", "2", "fox", "trot",
    ]  # fmt: skip


def test_a_query_loses_its_function_words():
    assert words.asked("What did the dog do with the bone?") == ["dog", "bone"]


def test_a_query_of_function_words_alone_keeps_them():
    assert words.asked("to be or not to be") == ["to", "be", "or", "not"]


def test_scripts_without_spaces_are_taken_letter_by_letter():
    assert words.words("日本 abc") == ["日", "本", "abc"]


def test_words_are_folded_and_other_scripts_are_left_alone():
    assert words.words("Größe ÉTÉ Ωμέγα") == ["grosse", "ete", "ωμεγα"]
    assert words.words("й が 한국") == ["й", "が", "한", "국"]


@given(st.text(max_size=200))
def test_every_term_of_any_text_carries_its_namespace(text):
    assert all(part.startswith("7_") for part in words.indexed(7, text).split())


@given(st.text(max_size=200))
def test_no_query_brings_a_quote_into_a_term(text):
    assert all(words.term(7, word).count('"') == 2 for word in words.asked(text))
