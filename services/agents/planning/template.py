"""Plans that are written down: one YAML file a template, checked when it is read."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.agents.crew import AgentSpec, invalid, read_yaml
from services.agents.planning.shape import ended, repaired
from shared.errors import InvalidInput
from shared.events.tasks import Plan, PlanStep, TaskRequest
from shared.events.templates import TemplateInfo, TemplateList

TEMPLATES = Path(__file__).parent.parent / "templates"
FALLBACK = "default"


class TemplateFile(BaseModel):
    """What a template's file holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str = Field(min_length=1, max_length=400)
    steps: tuple[PlanStep, ...] = Field(min_length=1, max_length=8)


@lru_cache(maxsize=64)
def read_template(file: Path) -> TemplateFile:
    """Return a template, read once: parsing costs more than a whole step; raise
    `InvalidSetting` naming file and line or key.
    """
    try:
        return TemplateFile.model_validate(read_yaml(file))
    except ValidationError as error:
        raise invalid(file, error) from None


def template_names() -> tuple[str, ...]:
    """Return the names that `TaskRequest.template` may have."""
    return tuple(sorted(file.stem for file in TEMPLATES.glob("*.yaml")))


def template_list() -> TemplateList:
    """Return all templates with their steps, by name."""
    found = [(name, read_template(TEMPLATES / f"{name}.yaml")) for name in template_names()]
    return TemplateList(
        templates=tuple(
            TemplateInfo(name=name, description=each.description, steps=each.steps)
            for name, each in found
        )
    )


def template_plan(name: str, task: TaskRequest, crew: dict[str, AgentSpec]) -> Plan:
    """Return the plan of a named template; an unknown name raises `InvalidInput`."""
    names = template_names()
    if name not in names:
        known = ", ".join(names)
        raise InvalidInput(f"template: no template {name!r}; there are {known}", field="template")
    found = read_template(TEMPLATES / f"{name}.yaml")
    steps = ended(repaired(found.steps, crew), task, crew)
    return Plan(steps=steps, origin="template", reason=f"template {name}")


def fallback_plan(task: TaskRequest, crew: dict[str, AgentSpec]) -> Plan:
    """Return the plan for when neither rule nor model gave one: analyze, strategise, build."""
    plan = template_plan(FALLBACK, task, crew)
    return plan.model_copy(update={"reason": "no plan by rule or model; the standard sequence"})
