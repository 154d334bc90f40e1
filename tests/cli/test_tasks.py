import asyncio
import json

import pytest

from cli.views import recent
from shared.events import Reason, TaskControl, TaskRequest, TaskState
from shared.reading import read_subject
from tests.cli import crew


async def queued(bus):
    stored = await read_subject(bus, "TASKS", "task.request.*")
    return [(one.subject, TaskRequest.model_validate_json(one.data)) for one in stored]


async def test_submit_stores_the_task_and_prints_its_id_alone(cli, bus):
    done = await cli("task", "submit", "Read it", "-d", "all of it", "--priority", "urgent")
    [(subject, task)] = await queued(bus)
    assert (done.exit_code, done.stdout.strip()) == (0, task.task_id)
    assert (subject, task.title, task.description) == (
        "task.request.urgent", "Read it", "all of it",
    )  # fmt: skip
    assert f"sovereign task watch {task.task_id}" in done.stderr


async def test_the_same_id_twice_is_one_task_and_says_so(cli, bus):
    await cli("task", "submit", "Read it", "--id", "mine")
    again = await cli("task", "submit", "Read it", "--id", "mine", "--json")
    assert json.loads(again.stdout)["duplicate"] is True
    assert len(await queued(bus)) == 1


async def test_a_task_is_kept_on_a_server_that_no_service_has_seen(cli):
    done = await cli("task", "submit", "Read it", "--json")
    assert json.loads(done.stdout)["stream"] == "TASKS"


async def test_wait_shows_progress_on_stderr_and_the_answer_on_stdout(cli, bus):
    done, _ = await crew.beside(bus, cli("task", "submit", "Read it", "--wait"))
    assert (done.exit_code, done.stdout) == (0, "First the keys, then the rest.\n")
    assert "plan by rule: s1 (analyzer)" in done.stderr
    assert "step s1 done analyzer" in done.stderr
    assert "offline: by rules, no language model" in done.stderr
    assert "✓ s1: analyzer, offline, 0 tokens, 0.0 s" in done.stderr
    assert "speed-up" not in done.stderr
    assert "\ntask" not in done.stderr.partition("task done")[2]


async def test_wait_for_a_task_that_fails_leaves_with_1_and_the_reason(cli, bus):
    command = cli("task", "submit", "Read it", "--wait")
    done, _ = await crew.beside(bus, command, TaskState.FAILED)
    assert done.exit_code == 1
    assert "engine_failed: it broke" in done.stderr


async def test_wait_as_json_is_one_document(cli, bus):
    done, task = await crew.beside(bus, cli("task", "submit", "Read it", "--wait", "--json"))
    assert json.loads(done.stdout)["task_id"] == task.task_id


async def test_wait_has_an_end_and_tells_how_to_go_on(cli, bus):
    done = await cli("task", "submit", "Read it", "--id", "mine", "--timeout", "0.3")
    assert done.exit_code == 1
    assert "sovereign task watch mine" in done.stderr


async def test_files_travel_with_the_task(cli, bus, tmp_path):
    (tmp_path / "a.md").write_text("# Notes")
    (tmp_path / "b.bin").write_bytes(b"\xff\x00")
    await cli("task", "submit", "Read", "-f", str(tmp_path / "a.md"), "-f", str(tmp_path / "b.bin"))
    [(_, task)] = await queued(bus)
    assert [(a.name, a.text, a.base64) for a in task.attachments] == [
        ("a.md", "# Notes", None), ("b.bin", None, "/wA="),
    ]  # fmt: skip


async def test_a_large_file_goes_through_the_object_store(cli, bus, tmp_path):
    content = b"line\n" * 500_000
    (tmp_path / "big.txt").write_bytes(content)
    await cli("task", "submit", "Read", "--id", "mine", "-f", str(tmp_path / "big.txt"))
    [(_, task)] = await queued(bus)
    store = await bus.js.object_store("attachments")
    assert (await store.get(task.attachments[0].object)).data == content


async def test_stdin_can_be_the_file(cli, bus):
    await cli("task", "submit", "Read", "-f", "-", stdin="from a pipe")
    [(_, task)] = await queued(bus)
    assert task.attachments[0].text == "from a pipe"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("  ",), "title"),
        (("x", "--id", "a.b"), "task_id"),
        (("x", "--agent", "a*"), "agent"),
        (("x", "--priority", "soon"), "--priority"),
        (("x", "--deadline", "soon"), "--deadline"),
        (("x", "--file", "nowhere.md"), "--file"),
    ],
)
def test_a_wrong_field_is_named_before_anything_is_sent(run, arguments, named):
    done = run("task", "submit", *arguments)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert named in done.stderr


async def test_list_shows_the_latest_first_and_can_be_filtered(cli, bus):
    await crew.put(bus, crew.view("one"))
    await crew.put(bus, crew.view("two", TaskState.DONE))
    every = json.loads((await cli("task", "list", "--json")).stdout)
    done = json.loads((await cli("task", "list", "--state", "done", "--json")).stdout)
    assert [task["task_id"] for task in every] == ["two", "one"]
    assert [task["task_id"] for task in done] == ["two"]


async def test_list_reads_further_back_until_enough_fit(bus):
    await crew.put(bus, crew.view("old", TaskState.DONE))
    for number in range(30):
        await crew.put(bus, crew.view(f"t{number}"))
    assert [one.task_id for one in await recent(bus, 1, TaskState.DONE)] == ["old"]


async def test_list_of_nothing_teaches_the_first_command(cli, bus):
    done = await cli("task", "list")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "sovereign task submit" in done.stderr


async def test_show_prints_plan_steps_and_answer(cli, bus):
    await crew.put(bus, crew.view("one", TaskState.DONE, TaskState.DONE))
    await crew.finish(bus, crew.result("one"))
    done = await cli("task", "show", "one")
    assert "s1" in done.stdout
    assert "First the keys, then the rest." in done.stdout


async def test_show_tells_each_text_once_and_a_failed_step_without_an_empty_answer(cli, bus):
    same = crew.result("one", answer="## Keys\n\n- the keys")
    await crew.put(bus, crew.view("one", TaskState.DONE, TaskState.DONE))
    await crew.finish(bus, same)
    await crew.put(bus, crew.view("two", TaskState.FAILED, TaskState.FAILED))
    await crew.finish(bus, crew.result("two", TaskState.FAILED, answer=""))
    one, two = await cli("task", "show", "one"), await cli("task", "show", "two")
    assert one.stdout.count("the keys") == 1
    assert ("the keys" in two.stdout, "\nanswer" in two.stdout) == (True, False)
    assert "tokens" in one.stdout


@pytest.mark.parametrize("content", [b"", b" \n\n"])
async def test_an_empty_file_is_refused(cli, bus, tmp_path, content):
    (tmp_path / "notes.md").write_bytes(content)
    done = await cli("task", "submit", "Read", "-f", str(tmp_path / "notes.md"))
    assert (done.exit_code, await queued(bus)) == (2, [])
    assert "notes.md is empty" in done.stderr


async def test_a_binary_file_is_told_of(cli, bus, tmp_path):
    (tmp_path / "b.bin").write_bytes(b"\xff\x00")
    done = await cli("task", "submit", "Read", "-f", str(tmp_path / "b.bin"))
    assert (done.exit_code, "b.bin is not text" in done.stderr) == (0, True)


async def test_show_of_an_unknown_task_fails_with_the_next_command(cli, bus):
    done = await cli("task", "show", "none")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "sovereign task list" in done.stderr


async def test_watch_follows_from_the_stored_state_to_the_end(cli, bus):
    await crew.put(bus, crew.view("one"))
    watching = asyncio.create_task(cli("task", "watch", "one", "--json"))
    await crew.finish(bus, crew.result("one"))
    lines = [json.loads(line) for line in (await watching).stdout.splitlines()]
    assert (lines[0]["kind"], lines[-1]["kind"]) == ("view", "result")


@pytest.mark.parametrize("action", ["cancel", "pause", "resume"])
async def test_a_word_reaches_the_manager(cli, bus, action):
    await crew.put(bus, crew.view("one"))
    done = await cli("task", action, "one", "--reason", "changed my mind")
    [stored] = await read_subject(bus, "TASKS_CONTROL", "task.control.one")
    word = TaskControl.model_validate_json(stored.data)
    assert (done.exit_code, word.action, word.reason) == (0, action, "changed my mind")


async def test_approve_finds_the_only_step_that_waits(cli, bus):
    reason = Reason(code="approval", message="a person must agree")
    await crew.put(bus, crew.view("one", TaskState.WAITING, TaskState.WAITING, reason))
    done = await cli("task", "approve", "one", "--json")
    assert json.loads(done.stdout)["step"] == "s1"


@pytest.mark.parametrize("action", ["approve", "reject"])
async def test_a_word_on_a_step_that_is_not_there_is_refused(cli, bus, action):
    await crew.put(bus, crew.view("one"))
    done = await cli("task", action, "one", "--step", "s9")
    assert (done.exit_code, await read_subject(bus, "TASKS_CONTROL", "task.control.one")) == (1, [])
    assert "task one has no step s9: its steps are s1" in done.stderr


@pytest.mark.parametrize("action", ["cancel", "approve"])
async def test_a_word_on_a_task_that_has_ended_is_refused(cli, bus, action):
    await crew.put(bus, crew.view("one", TaskState.DONE, TaskState.DONE))
    done = await cli("task", action, "one")
    assert done.exit_code == 1
    assert "has ended" in done.stderr


async def test_retry_needs_an_end(cli, bus):
    await crew.put(bus, crew.view("one"))
    done = await cli("task", "retry", "one")
    assert (done.exit_code, "still running" in done.stderr) == (1, True)
