"""Tools and the critic in the running system, with a model behind the real router."""

import json

import pytest

from tests.fakes.ollama import FakeOllama

pytestmark = pytest.mark.e2e


async def test_a_model_saves_a_file_is_judged_and_the_file_is_handed_out(fresh):
    async with FakeOllama(port=fresh.ollama_port):
        await fresh.start()
        code, out, errors = await fresh.cli(
            "task", "submit", "Save the plan as a file", "--agent", "builder",
            "--verify", "critic", "--wait", "--json",
        )  # fmt: skip
        assert code == 0, errors
        result = json.loads(out)
        (step,) = result["steps"]
        assert (step["is_llm"], step["verified"], step["verified_by"]) == (True, True, "critic")
        assert [use["tool"] for use in step["tools"]] == ["write_artifact"]
        (made,) = result["artifacts"]
        code, content, _ = await fresh.cli("task", "artifact", result["task_id"], made["name"])
        assert (code, len(content.encode())) == (0, made["size"])
        assert await fresh.stop() == 0
