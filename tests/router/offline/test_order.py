from services.router.offline import answer
from tests.router.offline.asking import ask
from tests.router.offline.samples import CSV, MEETING, REPORT

ORDER = "Put the items in the order in which they should be done, by their own labels."


def ordered(content):
    return [line for line in content.splitlines() if line[:1].isdigit()]


def test_items_come_by_label_then_number():
    assert ordered(answer(ask(ORDER, documents=[REPORT])).content) == [
        "1. **Hire a second baker** (High priority, no. 1)",
        "2. **Repair the cooling room** (High priority, no. 2)",
        "3. **Print new menus** (Low priority, no. 3)",
    ]


def test_what_an_item_waits_for_is_quoted_below_it():
    content = answer(ask(ORDER, documents=[REPORT])).content
    assert "   - the text says: “Can start once the parts arrive”" in content


def test_the_output_of_the_step_before_is_enough_and_gives_the_same_order():
    for text in (REPORT, MEETING, CSV):
        before = answer(ask("List what is still open.", documents=[text])).content
        by_input = answer(ask(ORDER, inputs=[("pending", before)])).content
        assert ordered(by_input) == ordered(answer(ask(ORDER, documents=[text])).content)


def test_the_answer_says_whose_order_it_is():
    assert "own priority labels" in answer(ask(ORDER, documents=[REPORT])).content
    plain = answer(ask(ORDER, documents=["# Todo\n- b\n- a\n"])).content
    assert plain.startswith("The text gives no priority labels or numbers")
    assert plain.index("**b**") < plain.index("**a**")


def test_a_later_urgent_item_comes_first_and_unlabelled_ones_last():
    text = "# Todo\n- wash up\n- (low) nap\n- [P0] stop the fire\n- pay rent (high)\n"
    lines = ordered(answer(ask(ORDER, documents=[text])).content)
    assert [line[3:12].strip("* ") for line in lines] == [
        "[P0] st",
        "pay ren",
        "(low) n",
        "wash up",
    ]


def test_the_order_of_a_model_is_understood_too():
    text = "Here is what I found:\n\n1. **Ship** (low)\n2. **Test** (high)\n"
    lines = ordered(answer(ask(ORDER, inputs=[("a", text)])).content)
    assert lines[0].startswith("1. **Test** (high")


def test_each_place_that_the_texts_words_caused_quotes_them():
    text = "# Todo\n- Switch the DNS; only after the test order has worked\n- Test order by phone\n"
    content = answer(ask(ORDER, documents=[text])).content
    assert "words on what comes before what" in content
    assert ordered(content)[0] == "1. **Test order by phone**"
    quoted = "since the text says: “only after the test order has worked”"
    assert f"after “Test order by phone”, {quoted}" in content
    assert f"before “Switch the DNS”, {quoted}" in content


def test_a_day_in_a_sub_point_is_quoted_and_orders():
    text = "# Todo\n- Paint\n- Sign\n  - due: 2025-12-05\n"
    content = answer(ask(ORDER, documents=[text])).content
    assert ordered(content) == ["1. **Sign**", "2. **Paint**"]
    assert "the text says: “due: 2025-12-05”" in content


def test_words_that_contradict_each_other_are_shown():
    text = "# Todo\n- Build after paint\n- Paint after build\n"
    content = answer(ask(ORDER, documents=[text])).content
    assert content.endswith("these words were not followed:\n- “after build”")
