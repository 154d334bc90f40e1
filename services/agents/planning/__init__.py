"""Who does what: by rule first, then by model, then by template."""

from services.agents.planning.ask import plan_request
from services.agents.planning.read import read_plan
from services.agents.planning.rule import plan_by_rule
from services.agents.planning.template import fallback_plan

__all__ = ["fallback_plan", "plan_by_rule", "plan_request", "read_plan"]
