from pathlib import Path

import pytest

from services.router.offline import answer
from shared.errors import NeedsModel
from tests.router.offline.asking import ask
from tests.router.offline.samples import GERMAN, PROSE

HANDOFF = Path(__file__).parents[4] / "shared" / "data" / "handoff-2025-11-15.md"
PLAN = """# Plan for 2026

## 1. Shop
We open on 5 March. The shop has 120 m² and 3 rooms. Nobody sleeps there.

## Targets
- 400 parcels a day
- Few errors

## Score: 65 % now, target 95 %
- Own server
"""


def said(question, text=PLAN):
    return answer(ask(question, task=question, documents=[text])).content


def test_figures_and_targets_are_quoted_each_in_a_group():
    figures, targets = said("Which figures and targets does the document give?").split(
        "### Targets"
    )
    assert "“The shop has 120 m² and 3 rooms.” (1. Shop)" in figures
    assert "Nobody" not in figures
    assert "5 March" not in figures
    assert "“1. Shop”" not in figures
    assert "“400 parcels a day” (Targets)" in targets
    assert "“Few errors” (Targets)" in targets
    assert "“Score: 65 % now, target 95 %”" in targets
    assert "Own server" not in targets


def test_dates_are_found_by_their_form():
    assert said("Which dates does the document mention?").endswith(
        "- “We open on 5 March.” (1. Shop)"
    )


def test_what_is_under_a_heading_of_that_name_comes_first():
    text = "# A\n- It costs 5 EUR\n# Numbers\n- 7 agents\n- no figure\n"
    content = said("What numbers are given in the text?", text)
    assert content.index("7 agents") < content.index("5 EUR")
    assert "no figure" not in content


def test_a_german_question_is_understood():
    text = f"{GERMAN}\n## Ziele\n- 20 Gäste am Tag\n"
    assert "“20 Gäste am Tag” (Ziele)" in said("Welche Ziele nennt der Text?", text)


def test_what_the_text_names_nowhere_is_said_beside_what_it_names():
    content = said("Which targets and suppliers does the document list?")
    assert content.endswith("### Suppliers\n\nThe text names none.")


@pytest.mark.parametrize(
    "question",
    ["Which suppliers does the document list?", "Which flowers do the kings of the moon like?"],
)
def test_what_the_text_does_not_name_at_all_needs_a_model(question):
    with pytest.raises(NeedsModel):
        said(question, PROSE)


@pytest.mark.skipif(not HANDOFF.exists(), reason="the handoff document is not beside the checkout")
def test_the_handoff_document_gives_its_figures_and_targets():
    content = said("Which figures and targets does the document give?", HANDOFF.read_text("utf-8"))
    figures, targets = content.split("### Targets")
    assert "“**Agents Deployed:** 5 (all sovereign)” (This Session in Numbers)" in figures
    assert "“Sovereignty Score: 65% → Target: 95%” (Metrics & Progress)" in targets
    assert "“**Target:** 90%+ (most tasks automated)”" in targets
