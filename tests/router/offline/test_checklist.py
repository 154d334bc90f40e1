import pytest

from services.router.offline import answer
from shared.errors import NeedsModel
from tests.router.offline.asking import ask
from tests.router.offline.samples import PROSE, REPORT


def boxes(text):
    return answer(ask("Make a checklist", documents=[text])).content.splitlines()


def test_what_is_open_is_the_checklist():
    assert boxes(REPORT) == [
        "- [ ] Hire a second baker",
        "- [ ] Repair the cooling room",
        "- [ ] Print new menus",
    ]


def test_else_the_list_and_else_the_sentences_that_ask():
    assert boxes("Bring:\n- a tent\n- a map\n") == ["- [ ] a tent", "- [ ] a map"]
    assert "- [ ] Marta has to sign the contract before July" in boxes(PROSE)
    assert boxes("Install it, then run the tests. It is fun.") == [
        "- [ ] Install it",
        "- [ ] run the tests",
    ]


def test_a_text_that_asks_for_nothing_needs_a_model():
    with pytest.raises(NeedsModel):
        boxes("The sky was blue that day.")
