import pytest

from services.dashboard.parsing import control_of, json_of, tasks_of
from shared.errors import InvalidInput


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([{"title": "a"}, {"title": "  "}], "1.title"),
        ([{"title": "a", "priority": "soon"}], "0.priority"),
        ([{"title": "a", "task_id": "a.b"}], "0.task_id"),
        ([{"title": "a", "task_id": ">"}], "0.task_id"),
        ([{"description": "a"}], "0.title"),
        ([{"title": "a", "attachments": [{"name": "../x", "text": ""}]}], "0.attachments.0.name"),
        ([{"title": "a", "task_id": "t"}, {"title": "b", "task_id": "t"}], "1.task_id"),
        (["a"], "0"),
        ([], "body"),
        ([{"title": "a"}] * 101, "body"),
    ],
)
def test_the_error_names_index_and_field(body, field):
    with pytest.raises(InvalidInput) as caught:
        tasks_of(body)
    assert caught.value.field == field


def test_one_object_is_one_task():
    assert [task.title for task in tasks_of({"title": "a", "unknown": 1})] == ["a"]


def test_malformed_json_says_where():
    with pytest.raises(InvalidInput, match="line 1, column 11"):
        json_of(b'[{"title":')


def test_a_word_on_a_task_needs_no_body():
    assert control_of("t1", "cancel", b" ").action == "cancel"


def test_the_body_cannot_change_task_or_action():
    word = control_of("t1", "cancel", b'{"task_id": "t2", "action": "retry", "reason": "late"}')
    assert (word.task_id, word.action, word.reason) == ("t1", "cancel", "late")


def test_a_wrong_step_is_named():
    with pytest.raises(InvalidInput) as caught:
        control_of("t1", "approve", b'{"step": "a b"}')
    assert caught.value.field == "step"
