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
        "The restore was not tested",
        "It is not yet documented",
        "The restore has never run",
        "There is no backup of the queue",
        "Der Aufzug ist nicht getestet",
        "The alert doesn't work",
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
        "Payment through Mollie, not PayPal",
        "Wir zahlen mit Karte, nicht bar",
        "The printer is not needed",
        "Tea and not coffee was served",
        "The delivery is not late",
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


def test_the_texts_own_section_about_risks_comes_first_and_whole():
    many = "".join(f"- Blocked by supplier {n}\n" for n in range(40))
    own = "".join(f"- The weather may turn, case {n}\n" for n in range(30))
    text = f"# Plan\n## Todo\n{many}## Known issues\n{own}"
    content = answer(ask(RISKS, documents=[text])).content
    first, rest = content.split("### In the open items")
    assert "### What the text itself gives under “Known issues”" in first
    assert all(f"- “The weather may turn, case {n}”\n" in first for n in range(30))
    assert "16 more statements" in rest


@pytest.mark.parametrize(
    ("heading", "is_about_risks"),
    [
        ("Risks", True),
        ("Risiken", True),
        ("Blockers", True),
        ("Concerns", True),
        ("Known issues", True),
        ("Risks, blockers and issues", True),
        ("Open risks (draft)", True),
        ("Resolved issues", False),
        ("No known issues", False),
        ("Risk-free offers", False),
    ],
)
def test_headings_about_risks_are_told_from_others(heading, is_about_risks):
    text = f"# Plan\n\n## {heading}\n\n- The sky is blue\n"
    assert bool(find_risks([Source("document", "x", text)])) is is_about_risks


def test_a_row_is_quoted_by_the_cell_that_tells():
    text = "id;task;status\n1;Fix the crash at start;open\n2;Sing;open\n"
    content = answer(ask(RISKS, documents=[text])).content
    assert "- “Fix the crash at start” — crash" in content


def test_parts_have_german_titles_for_a_german_question():
    content = answer(ask("Was ist noch offen und welche Risiken gibt es?", documents=[GERMAN]))
    assert "## Offen\n" in content.content
    assert "## Risiken\n" in content.content
