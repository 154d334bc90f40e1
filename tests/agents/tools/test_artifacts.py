import json

import pytest

from services.agents.tools.toolbox import BUILT_IN
from shared.schema_check import validate
from tests.agents.harness import result, submit
from tests.agents.tools.bench import call, crew_with, saying


def write(name, content="# Plan"):
    return call("write_artifact", given=json.dumps({"name": name, "content": content}))


async def test_a_file_is_written_checked_and_listed(bus, settings):
    check = call("run_check", given='{"check": "length", "artifact": "plan.md"}')
    written = [write("plan.md"), write("plan.md\n")]
    answers = [written, [write("plan.md", "# Better")], [check], "- done"]
    tools = [BUILT_IN["write_artifact"], BUILT_IN["run_check"]]
    async with saying(bus, *answers) as asked, crew_with(bus, settings, *tools):
        await submit(bus, agent="builder", title="Save the plan as a file and check it")
        done = await result(bus)
    (artifact,) = done.artifacts
    assert (artifact.name, artifact.size, artifact.media_type) == ("plan.md", 8, "text/markdown")
    assert "error: name" in asked.asked[1].messages[-1].content
    assert "8 characters" in asked.asked[3].messages[-1].content
    store = await bus.js.object_store("artifacts")
    assert (await store.get(artifact.object)).data == b"# Better"


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "a b", "-x", "", "x" * 101])
def test_a_name_that_is_a_path_or_worse_is_refused(name):
    given = {"name": name, "content": "x"}
    assert validate(given, BUILT_IN["write_artifact"].parameters) is not None
