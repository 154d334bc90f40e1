import pytest

from services.router.offline import answer
from shared.errors import NeedsModel
from tests.router.offline.asking import ask
from tests.router.offline.samples import MEETING, REPORT, TABLE


@pytest.mark.parametrize(
    ("question", "text", "found"),
    [
        ("Who is the owner?", REPORT, "**Owner:** Mia Klein"),
        ("What are the opening hours?", REPORT, "06:00 to 14:00"),
        ("How many loaves does the oven bake?", REPORT, "400 loaves a day"),
        ("Who attended?", MEETING, "Attendees: Anna, Bob"),
        ("What about the supplier?", MEETING, "We depend on a single supplier."),
        ("Who reviews the rest?", TABLE, "Review the rest | Mia"),
    ],
)
def test_a_question_is_answered_with_the_passage_that_holds_it(question, text, found):
    assert found in answer(ask(question, documents=[text])).content


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of France?",
        "Who won the football match?",
        "How tall is the owner of the moon?",
        "Why did the king abdicate?",
        "?",
    ],
)
def test_a_question_that_the_text_does_not_answer_needs_a_model(question):
    with pytest.raises(NeedsModel, match=r"text does not say|no text"):
        answer(ask(question, documents=[REPORT]))


def test_a_question_that_names_a_section_is_answered_with_its_items():
    content = answer(ask("What was completed?", documents=["# Completed\n- a house\n- a tree\n"]))
    assert "“a house”" in content.content
