"""The crew: one YAML file an agent, checked when it is read; a user's agent is one more file."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.errors import InvalidInput, InvalidSetting
from shared.events.tasks import Verify
from shared.subjects import Token, token

log = logging.getLogger(__name__)

ROSTER = Path(__file__).with_name("roster")
FRAME_TOKENS = 1500
"""The most that an agent's own prompt may take, at four characters a token."""
CHARS_PER_TOKEN = 4
SAMPLE = {"agent": "agent", "title": "title", "done_when": "it is done", "schema": ""}
"""What a prompt template may use, with values to try it on."""

_jinja = ImmutableSandboxedEnvironment(undefined=StrictUndefined)


class _Readable(yaml.SafeDumper):
    """Writes long texts line by line, as people do."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Return a text; one of several lines as a block."""
        return self.represent_scalar("tag:yaml.org,2002:str", data, "|" if "\n" in data else None)


_Readable.add_representer(str, _Readable.represent_str)


class _Strict(BaseModel):
    """A part of an agent's file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OutputRules(_Strict):
    """What code checks in an agent's output; lengths in characters.

    `form` is `text`, `list` (at least one list item or table row) or `json` (meets `json_schema`).
    """

    form: Literal["text", "list", "json"] = "text"
    min_chars: int = Field(default=1, ge=1)
    max_chars: int = Field(default=60_000, ge=1, le=1_000_000)
    json_schema: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _json_has_schema(self) -> Self:
        if (self.form == "json") != (self.json_schema is not None):
            raise ValueError("json_schema belongs to form json, and only to it")
        if self.min_chars > self.max_chars:
            raise ValueError("min_chars is more than max_chars")
        return self


class StepBudget(_Strict):
    """What one step may use at most; the first limit reached ends it with `budget_exhausted`.

    `seconds` is wall time of one attempt; `calls` are model calls, the critic's among them.
    """

    tokens: int | None = Field(default=None, gt=0)
    calls: int | None = Field(default=None, gt=0)
    usd: Decimal | None = Field(default=None, gt=0)
    seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)


class AgentSpec(_Strict):
    """One agent: what it is for, how its model is asked, what it sees, how it is checked.

    `model` is a router alias, empty for the router's default; `num_ctx` and `max_tokens` are
    tokens; `concurrency` is steps at once in one process; `data` is what it is shown besides the
    task; `keywords` are stems that tell by rule that a task is its work. `tools` are offered where
    a step may need them, for at most `rounds` answers. `approval`: true asks a person before each
    step, `tools` before each call that must not be made twice. `verify` is how outputs are judged,
    by `critic_model` (an alias; empty for `model`) where a critic is wanted.
    """

    name: Token
    description: str = Field(min_length=1, max_length=400)
    model: str = Field(default="", max_length=200)
    temperature: float = Field(default=0.0, ge=0, le=2)
    max_tokens: int = Field(default=1024, ge=16, le=131_072)
    num_ctx: int = Field(default=8192, ge=512, le=1_048_576)
    concurrency: int = Field(default=2, ge=1, le=64)
    tools: tuple[Token, ...] = Field(default=(), max_length=32)
    rounds: int = Field(default=6, ge=1, le=50)
    budget: StepBudget = StepBudget()
    approval: bool | Literal["tools"] = False
    verify: Verify = "checks"
    critic_model: str = Field(default="", max_length=200)
    done_when: str = Field(min_length=1, max_length=400)
    data: tuple[Literal["inputs", "documents"], ...] = ("inputs", "documents")
    keywords: tuple[str, ...] = ()
    output: OutputRules = OutputRules()
    prompt: str = Field(min_length=1)

    def frame(self, values: dict[str, str]) -> str:
        """Return the system prompt with `values` (the names of `SAMPLE`) filled in."""
        return _template(self.prompt).render(values).strip()

    def written(self) -> str:
        """Return this agent as a file would hold it (YAML), without what is as it is by default."""
        values = self.model_dump(mode="json", exclude_defaults=True)
        return yaml.dump(values, Dumper=_Readable, sort_keys=False, allow_unicode=True, width=100)


class Crew(dict[str, AgentSpec]):
    """The agents by name; `faults` tells by file's stem why an agent of the owner is not there."""

    def __init__(self, agents: Iterable[AgentSpec], faults: Mapping[str, str]) -> None:
        super().__init__({spec.name: spec for spec in agents})
        self.faults = dict(faults)

    def within(self, num_ctx: int) -> Crew:
        """Return the crew with no prompt larger than the router's context, which cuts nothing."""
        most = {name: min(spec.num_ctx, num_ctx) for name, spec in self.items()}
        for name, spec in self.items():
            if most[name] < spec.num_ctx:
                log.warning("%s: num_ctx %d is more than router.num_ctx", name, spec.num_ctx)
        agents = (self[name].model_copy(update={"num_ctx": size}) for name, size in most.items())
        return Crew(agents, self.faults)


Check = Callable[[AgentSpec], None]
"""Raises `InvalidSetting` for an agent that this process cannot serve."""


def gather_crew(folder: Path | None, check: Check | None = None) -> Crew:
    """Return the built-in agents and the good ones of `folder`; the others are its `faults`.

    A wrong file takes no good agent away: where it was to take the place of a built-in one, that
    one stays. Raises `InvalidSetting` for a folder that is not there.
    """
    agents = load_crew()
    faults: dict[str, str] = {}
    for file in _files(folder):
        try:
            spec = read_agent(file)
            if check is not None:
                check(spec)
            agents[spec.name] = spec
        except InvalidSetting as error:
            log.error("an agent is left out: %s", error.message)
            faults[file.stem] = error.message
    return Crew(agents.values(), faults)


def load_crew(extra_folder: Path | None = None) -> dict[str, AgentSpec]:
    """Return the agents by name; a file of the same name in `extra_folder` takes the place.

    Raises `InvalidSetting` that names the file and the line or key at fault.
    """
    files = sorted(ROSTER.glob("*.yaml")) + _files(extra_folder)
    return {spec.name: spec for spec in map(read_agent, files)}


def _files(folder: Path | None) -> list[Path]:
    """Return the agents' files in a folder of the owner's."""
    if folder is None:
        return []
    if not folder.is_dir():
        raise InvalidSetting(f"{folder}: no such folder of agents", field="agents.folder")
    return sorted(folder.glob("*.yaml"))


def read_agent(file: Path) -> AgentSpec:
    """Return the agent of one file; its name is the file's stem."""
    values = read_yaml(file)
    try:
        name = token(file.stem, "agent")
        spec = AgentSpec.model_validate({"name": name, **values})
    except InvalidInput as error:
        raise InvalidSetting(f"{file}: {error.message}", field="name") from None
    except ValidationError as error:
        raise invalid(file, error) from None
    if spec.name != name:
        raise InvalidSetting(f"{file}: name: is the file's name, {name!r}", field="name")
    _check_prompt(file, spec)
    return spec


def read_yaml(file: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file; raise `InvalidSetting` naming file and line."""
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or type(error).__name__
        raise InvalidSetting(f"{file}{line}: {problem}") from None
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise InvalidSetting(f"{file}: must be a mapping of keys to values")
    return values


def invalid(file: Path, error: ValidationError) -> InvalidSetting:
    """Return the setting error for the first wrong key of a file."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    return InvalidSetting(f"{file}: {key}: {first['msg']}", field=key)


@lru_cache(maxsize=256)
def _template(text: str) -> Template:
    """Return the compiled template; compiling costs more than all other work of a step."""
    return _jinja.from_string(text)


def _check_prompt(file: Path, spec: AgentSpec) -> None:
    """Render once, so that a wrong template is found at the start and not in a task."""
    try:
        frame = spec.frame(SAMPLE)
    except TemplateSyntaxError as error:
        line = f"prompt, line {error.lineno}"
        raise InvalidSetting(f"{file}: {line}: {error.message}", field="prompt") from None
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError) as error:
        raise InvalidSetting(f"{file}: prompt: {error}", field="prompt") from None
    tokens = len(frame) // CHARS_PER_TOKEN
    if tokens > FRAME_TOKENS:
        line = f"prompt: about {tokens} tokens, at most {FRAME_TOKENS}"
        raise InvalidSetting(f"{file}: {line}", field="prompt")
