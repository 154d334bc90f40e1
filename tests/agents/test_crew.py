import pytest
import yaml

from services.agents.crew import (
    CHARS_PER_TOKEN,
    FRAME_TOKENS,
    SAMPLE,
    AgentSpec,
    gather_crew,
    load_crew,
)
from services.agents.planning import plan_by_rule
from services.agents.prompts import TOOLS_RULES
from services.agents.tools.toolbox import Toolbox
from shared.errors import InvalidInput, InvalidSetting
from shared.events.tasks import TaskRequest

SIXTH = """
description: Counts things.
done_when: Everything is counted.
keywords: [count]
prompt: |
  You are {{ agent }}. Count. Done when: {{ done_when }}
"""


def test_the_crew_has_its_five_agents():
    assert set(load_crew()) == {"strategist", "builder", "optimizer", "deployer", "analyzer"}


def test_every_frame_is_short_and_says_what_done_means():
    for spec in load_crew().values():
        frame = spec.frame({**SAMPLE, "done_when": "the moon is full"}) + TOOLS_RULES
        assert len(frame) / CHARS_PER_TOKEN <= FRAME_TOKENS
        assert "the moon is full" in frame


def test_an_agent_is_written_as_the_file_that_makes_it():
    for spec in load_crew().values():
        written = spec.written()
        assert AgentSpec.model_validate(yaml.safe_load(written)) == spec
        assert "prompt: |\n  You are {{ agent }}." in written


def test_a_file_more_is_an_agent_more(tmp_path):
    (tmp_path / "counter.yaml").write_text(SIXTH)
    crew = load_crew(tmp_path)
    assert len(crew) == 6
    assert crew["counter"].frame(SAMPLE).startswith("You are agent. Count.")


def test_a_file_of_a_known_name_takes_its_place(tmp_path):
    (tmp_path / "builder.yaml").write_text(SIXTH)
    assert load_crew(tmp_path)["builder"].description == "Counts things."


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("colour: red", "colour"),
        ("temperature: hot", "temperature"),
        ("concurrency: 0", "concurrency"),
        ("name: other", "name"),
        ("output: {form: json}", "output"),
        ("description: [", "yaml:7"),
        ('prompt: "{% if %}"', "prompt, line 1"),
        ('prompt: "{{ nobody }}"', "prompt: 'nobody' is undefined"),
        ("prompt: \"{{ ''.__class__.__mro__ }}\"", "prompt"),
        ('prompt: "{{ 1 / 0 }}"', "prompt"),
        (f'prompt: "{"x" * 9000}"', "tokens"),
    ],
)
def test_a_wrong_file_is_one_line_with_file_and_place(tmp_path, change, told):
    kept = "\n".join(x for x in SIXTH.splitlines() if not x.startswith(change.split(":")[0]))
    if change.startswith("prompt"):
        kept = kept[: kept.index("  You are")]
    (tmp_path / "counter.yaml").write_text(f"{kept}\n{change}\n")
    with pytest.raises(InvalidSetting) as caught:
        load_crew(tmp_path)
    assert "counter.yaml" in caught.value.message
    assert told in caught.value.message
    assert "\n" not in caught.value.message


def test_an_agent_without_a_prompt_is_refused(tmp_path):
    (tmp_path / "mute.yaml").write_text("description: x\ndone_when: y\n")
    with pytest.raises(InvalidSetting, match="prompt"):
        load_crew(tmp_path)


@pytest.mark.parametrize("name", ["a.b", "a b", "ü", "x" * 65])
def test_a_name_that_is_no_token_is_refused(tmp_path, name):
    (tmp_path / f"{name}.yaml").write_text(SIXTH)
    with pytest.raises(InvalidSetting, match="agent must match"):
        load_crew(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InvalidSetting, match="nowhere"):
        load_crew(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"- a\n- b\n", b"", b"1: x\n", b"[" * 1500])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, content):
    (tmp_path / "odd.yaml").write_bytes(content)
    with pytest.raises(InvalidSetting, match="odd"):
        load_crew(tmp_path)


def test_a_wrong_file_takes_no_good_agent_away(tmp_path):
    (tmp_path / "counter.yaml").write_text(SIXTH)
    (tmp_path / "broken.yaml").write_text(SIXTH.replace("{{ agent }}", "{% if %}"))
    (tmp_path / "builder.yaml").write_text("colour: red")
    found = gather_crew(tmp_path)
    assert set(found) == {*load_crew(), "counter"}
    assert set(found.faults) == {"broken", "builder"}
    assert "prompt, line 1" in found.faults["broken"]


def test_an_agent_with_a_tool_that_there_is_not_is_left_out(tmp_path):
    (tmp_path / "counter.yaml").write_text(SIXTH + "tools: [read_status, abacus]\n")
    found = gather_crew(tmp_path, Toolbox().check)
    assert "counter" not in found
    assert "no tool or server 'abacus'; there are: read_attachment" in found.faults["counter"]


def test_a_task_for_an_agent_whose_file_is_wrong_is_told_what_is_wrong(tmp_path):
    (tmp_path / "counter.yaml").write_text(SIXTH.replace("{{ agent }}", "{% if %}"))
    with pytest.raises(InvalidInput, match=r"counter\.yaml: prompt, line 1") as caught:
        plan_by_rule(TaskRequest(title="Count", agent="counter"), gather_crew(tmp_path))
    assert caught.value.field == "agent"


def test_no_prompt_is_larger_than_the_routers_context(tmp_path):
    (tmp_path / "counter.yaml").write_text(SIXTH + "num_ctx: 32768\n")
    capped = gather_crew(tmp_path).within(4096)
    assert {spec.num_ctx for spec in capped.values()} == {4096}
