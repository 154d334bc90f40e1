"""What an Ollama (or what passes for one) tells, with rubbish in it."""

import pytest

from services.router.ollama.telling import Telling
from shared.errors import EngineFailed, OutputCut


def told(**line):
    telling = Telling("m", 0.0, False, 50)
    telling.take({"message": {"content": "x"}, "done": True, **line})
    return telling.answer("here", True)


@pytest.mark.parametrize("count", [-1, 2**63, 1e30, "many", [1]])
@pytest.mark.parametrize("name", ["prompt_eval_count", "eval_count", "eval_duration"])
def test_a_count_that_the_record_could_not_hold_is_a_fault(name, count):
    with pytest.raises(EngineFailed, match=name):
        told(**{name: count})


@pytest.mark.parametrize("message", ["x", {"content": 7}, {"thinking": 5}, {"tool_calls": "no"}])
def test_a_message_of_another_shape_is_a_fault(message):
    with pytest.raises(EngineFailed, match="Ollama sent"):
        told(message=message)


def test_what_is_left_out_is_nothing():
    answer = told(eval_count=None, message=None)
    assert (answer.completion_tokens, answer.content, answer.eval_s) == (0, "", 0.0)


def unfinished(pieces):
    telling = Telling("m", 0.0, False, 50)
    for piece in pieces:
        telling.take({"message": {"content": piece}, "done": False})
    return telling.answer("here", True)


def test_without_a_last_line_the_server_failed_unless_the_model_repeated_itself():
    with pytest.raises(EngineFailed, match="without its last line"):
        unfinished(["word "] * 29)
    with pytest.raises(EngineFailed, match="without its last line"):
        unfinished([*["word "] * 31, "end"])
    with pytest.raises(OutputCut, match="repeated itself"):
        unfinished(["well", *["the ", "the"] * 15])
