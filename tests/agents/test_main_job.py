from shared.events.tasks import TaskState
from tests.agents.harness import crew, kinds, model, result, submit, view

QUESTION = "What is still pending, in which order should it be done, and what are the risks?"


async def test_a_task_comes_back_done(bus, settings):
    async with model(bus), crew(bus, settings):
        await submit(bus)
        done = await result(bus)
    assert (done.state, len(done.steps), done.engine) == (TaskState.DONE, 1, "ollama")
    assert done.answer and done.steps[0].usage.completion_tokens == 5
    assert await kinds(bus) == [
        "task_queued", "task_planned", "step_started", "model_answered", "step_finished",
        "task_finished",
    ]  # fmt: skip


async def test_parts_of_a_question_run_and_the_view_shows_the_end(bus, settings):
    async with model(bus), crew(bus, settings):
        await submit(bus, title=QUESTION, attachments=[{"name": "n.md", "text": "# a\n" * 5000}])
        done = await result(bus)
        seen = await view(bus)
    assert (done.state, seen.state) == (TaskState.DONE, TaskState.DONE)
    assert len(done.steps) == len(seen.steps) > 1
    assert done.timing.speedup > 0
