from typing import get_args

import pytest
from pydantic import ValidationError

from shared.events import Attachment, Priority, TaskRequest
from shared.priorities import PriorityName


def test_only_the_title_is_needed():
    assert TaskRequest(title=" tidy up ").title == "tidy up"


@pytest.mark.parametrize(
    "body",
    [
        {"title": ""},
        {"title": "   "},
        {"title": "x" * 10_001},
        {"title": "x", "task_id": "a.b"},
        {"title": "x", "task_id": "*"},
        {"title": "x", "priority": "asap"},
        {"title": "x", "attachments": [{"name": "../etc/passwd", "text": ""}]},
        {"title": "x", "attachments": [{"name": "a"}]},
        {"title": "x", "attachments": [{"name": "a", "text": "b", "object": "c"}]},
        {"title": "x", "attachments": [{"name": "a", "base64": "***"}]},
        {"title": "x", "deadline": "2026-01-01T00:00:00"},
    ],
)
def test_malformed_tasks_are_refused(body):
    with pytest.raises(ValidationError):
        TaskRequest.model_validate(body)


def test_unknown_fields_are_tolerated():
    assert TaskRequest.model_validate({"title": "x", "colour": "blue"}).title == "x"


def test_an_attachment_over_one_mebibyte_must_go_to_the_object_store():
    with pytest.raises(ValidationError, match="object store"):
        Attachment(name="big", text="x" * (1024 * 1024 + 1))


def test_base64_content_is_decoded():
    assert Attachment(name="a", base64="aGk=").content() == b"hi"


def test_the_words_of_priority_are_the_same_in_both_forms():
    assert get_args(PriorityName) == tuple(Priority)
