import json

from shared.events.tools import Artifact
from shared.streams import ARTIFACTS
from tests.cli.crew import finish, result

PLAN = Artifact(name="plan.md", object="t1.plan.md", size=6, media_type="text/markdown")


async def made(bus, *artifacts):
    """Store a result of task t1 with these files, and the one file that there is."""
    store = await bus.js.object_store(ARTIFACTS)
    await store.put("t1.plan.md", b"# Plan")
    ended = result("t1").model_copy(update={"artifacts": artifacts})
    await finish(bus, ended)


async def test_files_of_a_task_are_listed_printed_and_written(bus, cli, tmp_path):
    await made(bus, PLAN)
    listed = await cli("task", "artifact", "t1", "--json")
    assert [each["name"] for each in json.loads(listed.stdout)] == ["plan.md"]
    assert (await cli("task", "artifact", "t1", "plan.md")).stdout == "# Plan"
    written = await cli("task", "artifact", "t1", "plan.md", "--out", str(tmp_path / "p.md"))
    assert (written.exit_code, (tmp_path / "p.md").read_text()) == (0, "# Plan")
    again = await cli("task", "artifact", "t1", "plan.md", "--out", str(tmp_path / "p.md"))
    assert again.exit_code == 2
    assert "is there already" in again.stderr


async def test_a_file_that_is_not_there_is_one_line(bus, cli):
    await made(bus, PLAN, PLAN.model_copy(update={"name": "lost.md", "object": "t1.lost.md"}))
    for task, name, told in (
        ("t1", "other.md", "there are: plan.md, lost.md"),
        ("t1", "lost.md", "is gone from artifacts"),
        ("t2", "plan.md", "no result of a task t2"),
    ):
        missing = await cli("task", "artifact", task, name)
        assert missing.exit_code == 1
        assert told in missing.stderr
