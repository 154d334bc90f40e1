import pytest

from shared import subjects
from shared.errors import InvalidInput


def test_subjects_are_built_from_tokens():
    assert subjects.task_step("builder", "high") == "task.step.builder.high"


@pytest.mark.parametrize("bad", ["", "a.b", "*", ">", "a b", "é", "x" * 65, "a\r\nPUB", "a\n"])
def test_a_text_that_is_no_token_never_becomes_a_subject(bad):
    with pytest.raises(InvalidInput) as caught:
        subjects.task_journal(bad)
    assert caught.value.field == "task_id"
