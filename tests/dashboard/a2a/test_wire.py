import pytest

from services.dashboard.a2a.faults import Fault
from services.dashboard.a2a.wire import Message, read, task_form, task_of
from shared.clock import now
from shared.events import Reason, StepView, TaskResult, TaskState, TaskView

TEXT = {"text": "Compare the offers\nthe cheaper one first"}


def message(*parts, **more):
    return read(Message, {"messageId": "m-1", "role": "ROLE_USER", "parts": list(parts), **more})


def view(state, reason=None, run=1):
    return TaskView(
        task_id="t", title="x", priority="normal", state=state, created_at=now(),
        updated_at=now(), reason=reason, run=run, session="c",
        steps=(StepView(id="s", agent="builder", title="s", state=state),),
    )  # fmt: skip


def test_a_message_is_a_task_its_id_the_tasks_and_its_context_the_session():
    raw = {"raw": "aGk=", "filename": "a.bin", "mediaType": "application/x-thing"}
    task = task_of(message(TEXT, raw, {"data": {"a": 1}}, contextId="c-1"))
    assert (task.task_id, task.title, task.description, task.session) == (
        "m-1", "Compare the offers", "the cheaper one first", "c-1",
    )  # fmt: skip
    assert [file.name for file in task.attachments] == ["a.bin", "part-3.json"]
    assert task.attachments[1].text == '{"a":1}'


@pytest.mark.parametrize(
    ("parts", "more", "code"),
    [
        ([{"url": "http://x"}], {}, -32005),
        ([{"raw": "no base64!"}], {}, -32602),
        ([{}], {}, -32602),
        ([{"data": {"a": 1}}], {}, -32602),
        ([TEXT], {"taskId": "t"}, -32004),
    ],
)
def test_what_cannot_be_a_task_is_the_protocols_own_fault(parts, more, code):
    with pytest.raises(Fault) as fault:
        task_of(message(*parts, **more))
    assert fault.value.code == code


def test_waiting_for_a_person_is_input_required_and_for_anything_else_is_work():
    asks = Reason(code="approval", message="builder waits for a person's word")
    form = task_form("t", view(TaskState.WAITING, asks), None)
    assert (form["status"]["state"], form["contextId"]) == ("TASK_STATE_INPUT_REQUIRED", "c")
    assert form["status"]["message"]["parts"][0]["text"].startswith("approval: ")
    lacks = Reason(code="needs_model", message="x")
    working = task_form("t", view(TaskState.WAITING, lacks), None)
    assert working["status"]["state"] == "TASK_STATE_WORKING"


def test_an_answer_is_an_artifact_and_the_one_of_an_earlier_run_is_history():
    result = TaskResult(
        task_id="t", title="x", state=TaskState.DONE, answer="42", data=42, engine="offline"
    )
    form = task_form("t", view(TaskState.DONE), result)
    parts = form["artifacts"][0]["parts"]
    assert [part.get("text") or part["data"] for part in parts] == ["42", 42]
    assert form["metadata"] == {"engine": "offline", "isLlm": False}
    assert "artifacts" not in task_form("t", view(TaskState.RUNNING, run=2), result)
