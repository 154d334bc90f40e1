"""What `docs/agents.md` shows works as it stands there."""

import re
import tomllib
from pathlib import Path

import pytest

from services.agents.crew import AgentSpec, load_crew, read_agent
from services.agents.tools.toolbox import BUILT_IN, Toolbox
from shared.settings import AgentsSettings

GUIDE = (Path(__file__).parents[2] / "docs" / "agents.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(yaml|toml)\n(.*?)```", GUIDE, re.S)


def test_the_sixth_agent_of_the_guide_is_one(tmp_path):
    (text,) = [text for kind, text in BLOCKS if kind == "yaml"]
    (tmp_path / "translator.yaml").write_text(text, encoding="utf-8")
    Toolbox().check(read_agent(tmp_path / "translator.yaml"))


@pytest.mark.parametrize("text", [text for kind, text in BLOCKS if kind == "toml"])
def test_the_settings_of_the_guide_are_valid(text):
    AgentsSettings.model_validate(tomllib.loads(text)["agents"])


def test_the_guide_names_every_key_tool_and_agent():
    keys = set(AgentSpec.model_fields) - {"name"}
    for name in [*keys, *BUILT_IN, *load_crew()]:
        assert f"`{name}`" in GUIDE


def test_the_guides_table_of_tools_is_the_rosters():
    rows = dict(re.findall(r"\| `(\w+)` \| [^|]+ \| ((?:`\w+` ?)+)\|", GUIDE))
    for name, spec in load_crew().items():
        assert tuple(re.findall(r"`(\w+)`", rows[name])) == spec.tools
