import pytest

from services.agents.interop.wire import owner_token, read_prompt, task_of
from shared.errors import InvalidInput


def test_plain_text_and_json_are_prompts_and_unknown_fields_are_tolerated():
    assert read_prompt(b"Read it").prompt == "Read it"
    assert read_prompt(b' {"prompt": "Read it", "colour": 7}').prompt == "Read it"


@pytest.mark.parametrize("data", [b"", b"{", b'{"prompt": ""}', b"\xff\xfe", b'{"x": 1}'])
def test_a_prompt_that_is_none_is_refused(data):
    with pytest.raises(InvalidInput):
        task_of(read_prompt(data), None)


def test_the_first_line_is_the_title_and_a_long_one_is_cut():
    task = task_of(read_prompt(b"Read it\nall of it"), "builder", "mine")
    assert (task.title, task.description, task.agent, task.task_id) == (
        "Read it", "all of it", "builder", "mine",
    )  # fmt: skip
    long = task_of(read_prompt(b"x" * 900), None, "no token")
    assert (len(long.title), long.description) == (200, "x" * 900)
    assert len(long.task_id) == 26


def test_attachments_are_base64_or_refused_by_name():
    good = b'{"prompt": "x", "attachments": [{"filename": "a.txt", "content": "aGk="}]}'
    assert task_of(read_prompt(good), None).attachments[0].content() == b"hi"
    with pytest.raises(InvalidInput, match="base64"):
        task_of(read_prompt(good.replace(b"aGk=", b"a b")), None)


def test_a_hosts_name_becomes_an_owner_token():
    assert owner_token("My.Host-1") == "my-host-1"
    assert owner_token("...") == "host"
