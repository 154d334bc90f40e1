from shared.clock import now
from shared.events import TaskResult, TaskState, TaskView
from shared.runs import present


def view(run):
    at = now()
    return TaskView(
        task_id="a", title="a", priority="normal", state="running", created_at=at, updated_at=at,
        run=run,
    )  # fmt: skip


def result(run):
    return TaskResult(task_id="a", title="a", state=TaskState.DONE, run=run)


def test_a_result_of_before_a_retry_is_history():
    assert present(view(2), result(1)) is None


def test_a_result_of_this_run_is_present_also_when_no_view_is_known():
    for known in (view(2), view(1), None):
        assert present(known, found := result(2)) is found


def test_without_a_result_there_is_none():
    assert present(view(1), None) is None
