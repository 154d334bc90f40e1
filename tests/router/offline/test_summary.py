from services.router.offline import answer
from services.router.offline.facts import Facts
from services.router.offline.markup import Source
from services.router.offline.summary import summarise
from tests.router.offline.asking import ask
from tests.router.offline.samples import PROSE, REPORT


def lines(wish, text):
    return answer(ask(wish, documents=[text])).content.splitlines()


def test_a_summary_is_made_of_the_texts_own_sentences():
    chosen = lines("Summarise the text", REPORT)
    assert any("oven was replaced" in line for line in chosen)
    assert all(line.removeprefix("- ") in REPORT for line in chosen)


def test_the_wished_number_of_sentences_is_kept():
    assert len(lines("Summarise in two sentences", PROSE)) == 2
    assert len(lines("Summarise in 3 bullet points", PROSE)) == 3


def test_chosen_sentences_keep_the_order_of_the_text():
    chosen = [PROSE.index(line.removeprefix("- ")) for line in lines("Summarise", PROSE)]
    assert chosen == sorted(chosen)


def test_the_same_sentence_is_never_chosen_twice():
    source = Source("document", "d", ". A" * 50)
    assert summarise([source], "").count("- A.") == 1


def test_of_rows_with_the_same_column_the_first_value_counts():
    rows = "\n".join(f"{n};owner {n};open" for n in range(9))
    facts = Facts([Source("document", "d", f"number;owner;status\n{rows}")])
    assert facts.value("owner") == "owner 0"


def test_sentences_say_more_than_rows_of_a_table():
    told = "We move the bakery to a larger warehouse in spring."
    rows = (
        "| T1 | Carry boxes upstairs carefully | Mia Klein |\n"
        "| T2 | Paint walls green tomorrow | Jo Stone |\n"
        "| T3 | Install heavy shelves downstairs | Ola Berg |\n"
    )
    text = f"| id | task | owner |\n|---|---|---|\n{rows}\n{told}\n"
    assert f"- {told}" in lines("Summarise in 2 sentences", text)
