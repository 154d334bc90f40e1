import pytest

from services.router.offline import answer
from services.router.offline.markup import Source
from services.router.offline.risks import find_risks, sign_of
from tests.router.offline.asking import ask
from tests.router.offline.samples import GERMAN, MEETING, PROSE, REPORT

RISKS = "Quote every statement in the text that signals a risk."


@pytest.mark.parametrize(
    "sentence",
    [
        "**Needs:** Service restart to go live",
        "Cache hit rate: 0% (just started, will build)",
        "Not well documented",
        "blocked by legal",
        "The API key is missing",
        "Der Vertrag fehlt noch",
        "Die Anlage ist noch nicht getestet",
        "We depend on one supplier",
        "The build fails on Mondays",
    ],
)
def test_words_of_risk_are_seen(sentence):
    assert sign_of(sentence) is not None


@pytest.mark.parametrize(
    "sentence",
    [
        "Everything works",
        "No errors were found",
        "monitoring, no issues",
        "Auto-healing will prevent downtime",
        "Auto-fixes issues automatically",
        "The bug was fixed",
        "Not just theoretical",
        "Zero risk",
        "Alle Fehler sind behoben",
        "Before: 0 %",
        "10 % and 100 %",
        "keine Fehler",
    ],
)
def test_words_that_take_the_risk_away_count(sentence):
    assert sign_of(sentence) is None


def test_open_items_come_first_and_each_quote_names_its_place():
    content = answer(ask(RISKS, documents=[REPORT])).content
    place = "(Open points › High priority › Repair the cooling room)"
    assert f"- “Can start once the parts arrive” {place} — once" in content


def test_all_below_a_heading_of_risks_counts():
    quotes = [risk.quote for risk in find_risks([Source("document", "g", GERMAN)])]
    assert "Der Hoster hat nichts zugesagt." in quotes


def test_code_and_what_is_done_is_left_out():
    text = "- [x] fix the failing test\n```\nerror: missing\n```\n"
    assert find_risks([Source("document", "x", text)]) == []


def test_nothing_found_is_said_without_a_promise():
    content = answer(ask(RISKS, documents=["All is well here today."])).content
    assert "does not prove" in content


def test_each_statement_is_quoted_once():
    content = answer(ask(RISKS, documents=[PROSE, PROSE, MEETING])).content
    assert content.count("If the contract is late") == 1
    assert "no problems so far" not in content
