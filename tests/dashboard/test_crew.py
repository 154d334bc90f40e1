from datetime import timedelta

from services.dashboard.crew import LIVE_CHARACTERS, MOST_TASKS, Crew
from shared.clock import now
from shared.events import LiveUpdate, Reason, TaskRequest, TaskResult, TaskState, TaskView
from shared.events.tasks import Priority


def view(task_id: str = "t1", state: str = "running", **more: object) -> TaskView:
    values = {"title": "x", "priority": "normal", "created_at": now(), "updated_at": now()}
    return TaskView.model_validate({"task_id": task_id, "state": state, **values, **more})


def test_the_latest_view_counts():
    crew = Crew()
    crew.take_view(view(state="queued"))
    crew.take_view(view(state="running"))
    assert crew.counts() == {TaskState.RUNNING: 1}


def test_a_task_is_shown_as_soon_as_it_is_handed_in():
    crew = Crew()
    crew.take_request(TaskRequest(title="x", task_id="t1"), Priority.HIGH)
    assert crew.tasks["t1"].state == TaskState.QUEUED


def test_a_handed_in_task_never_hides_what_the_manager_wrote():
    crew = Crew()
    crew.take_view(view(state="done"))
    crew.take_request(TaskRequest(title="x", task_id="t1"), Priority.HIGH)
    assert crew.tasks["t1"].state == TaskState.DONE


def test_a_result_closes_its_task():
    crew = Crew()
    crew.take_view(view())
    crew.take_result(TaskResult(task_id="t1", title="x", state=TaskState.FAILED))
    assert crew.tasks["t1"].state == TaskState.FAILED


def test_a_late_result_does_not_reopen_a_task():
    crew = Crew()
    crew.take_view(view(state="cancelled"))
    crew.take_result(TaskResult(task_id="t1", title="x", state=TaskState.DONE))
    assert crew.tasks["t1"].state == TaskState.CANCELLED


def test_memory_is_bounded_and_the_oldest_go_first():
    crew = Crew()
    for number in range(MOST_TASKS + 5):
        crew.take_view(view(f"t{number}"))
    assert len(crew.tasks) == MOST_TASKS
    assert "t0" not in crew.tasks


def test_live_text_keeps_its_end():
    crew = Crew()
    for letter in "ab":
        text = letter * LIVE_CHARACTERS
        crew.take_live(LiveUpdate(task_id="t1", step_id="s1", kind="text", text=text))
    assert crew.live["t1"]["s1"] == "b" * LIVE_CHARACTERS


def test_waiting_says_why_until_it_goes_on():
    crew = Crew()
    crew.take_wait("t1", "s1", Reason(code="needs_model", message="no model"))
    assert crew.waiting_because() == "no model"
    crew.take_wait("t1", "s1", None)
    assert crew.waiting_because() == ""


def test_what_ended_lately_is_counted():
    crew = Crew()
    crew.take_view(view("t1", "done"))
    crew.take_view(view("t2", "done", updated_at=now() - timedelta(hours=1)))
    assert crew.finished_since(now() - timedelta(minutes=1)) == 1
