"""Chooses the models to try for a request, and says by which rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.router import names
from services.router.advice import alias
from services.router.budgets.estimate import Spending, estimate, prompt_tokens
from services.router.policy.picks import PICKS, Pick
from services.router.policy.quality import Quality, Score
from services.router.prices import Price
from shared.errors import (
    BudgetExceeded,
    Busy,
    EngineFailed,
    InputTooLong,
    ModelMissing,
    NeedsModel,
    OutputCut,
    OutputInvalid,
    Refused,
    TimedOut,
    Unavailable,
)
from shared.events import (
    AliasLine,
    ChatRequest,
    EmbedRequest,
    Empty,
    ModelInfo,
    PolicyReport,
    QualityLine,
    Recommendation,
)
from shared.settings import PolicyRule, RouterSettings

EMBED = "embed"
"""The alias of the setting's embedding model."""
FALL_BACK = (
    BudgetExceeded, Busy, EngineFailed, InputTooLong, ModelMissing, NeedsModel, OutputCut,
    OutputInvalid, Refused, TimedOut, Unavailable,
)  # fmt: skip
"""Failures after which the next model is tried, as long as the caller has seen nothing: a prompt
may fit another model, and a key that a vendor refuses is no fault of the caller."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Models to try in order, and what chose them, for people."""

    models: tuple[str, ...]
    rule: str


class Policy:
    """The owner's rules first, then aliases, then the name as it is; fallbacks come after."""

    def __init__(
        self,
        settings: RouterSettings,
        quality: Quality,
        held: Callable[[], Sequence[ModelInfo]],
        prices: Mapping[str, Price] | None = None,
    ) -> None:
        self._prices = prices or {}
        self._settings = settings
        self._quality = quality
        self._held = held

    def choose(self, request: ChatRequest) -> Choice:
        """Return what to try; raise `Refused` when only a cloud that is not allowed is left."""
        return self._permitted(self._found(request), request)

    def choose_vectors(self, request: EmbedRequest) -> Choice:
        """Return what to try for vectors: the setting's model unless another is named."""
        settings = self._settings
        if request.model == "" or request.model == EMBED not in settings.aliases:
            models = names.chain(settings.embed_model, settings)
            found = Choice(models, f"alias {EMBED}" if request.model else "default")
        else:
            models = names.chain(request.model, settings)
            named = "alias " + request.model if request.model in settings.aliases else "named"
            found = Choice(models, named)
        return self._permitted(found, request)

    async def explain(self, _: Empty) -> PolicyReport:
        """Answer `model.policy`: what names stand for now, and how models did."""
        named = ("", *PICKS, *(name for name in self._settings.aliases if name not in PICKS))
        return PolicyReport(
            aliases=tuple(_alias(name, self._named(name, "")) for name in named),
            rules=tuple(rule.model_dump(exclude_defaults=True) for rule in self._settings.rules),
            fallbacks=self._settings.fallbacks,
            clouds={name: cloud.model for name, cloud in self._settings.clouds.items()},
            servers={
                name: f"{server.model} at {server.url}"
                for name, server in self._settings.servers.items()
            },
            quality=tuple(
                _quality(model, kind, score)
                for (model, kind), score in sorted(self._quality.table().items())[:500]
            ),
        )

    def better(self) -> tuple[Recommendation, ...]:
        """Return which of the owner's `fast` and `smart` another model was measured to be."""
        found = []
        for name, pick in PICKS.items():
            now = names.split(self._settings.aliases.get(name, ""))
            best = pick(self._candidates(), self._quality, "") if len(now) == 1 else None
            if best is not None and best.measured:
                found.append(alias(name, now[0], best.model, best.why))
        return tuple(one for one in found if one is not None)

    def _found(self, request: ChatRequest) -> Choice:
        for rule in self._settings.rules:
            models = self._fitting(rule, request)
            if models:
                return Choice(models, f"rule {rule.name}")
        return self._named(request.model, request.agent or "")

    def _named(self, name: str, kind: str) -> Choice:
        """Return what a name stands for: the owner's alias, ours, or itself."""
        settings = self._settings
        if name in PICKS and name not in settings.aliases:
            pick = self._pick(name, kind)
            return Choice(names.chain(pick.model, settings), f"alias {name}: {pick.why}")
        models = names.chain(name or settings.model, settings)
        if name in settings.aliases:
            return Choice(models, f"alias {name}")
        return Choice(models, "named" if name else "default")

    def _pick(self, name: str, kind: str) -> Pick:
        quality = self._quality if self._settings.measured else None
        found = PICKS[name](self._candidates(), quality, kind)
        return found or Pick(names.resolve("", self._settings), "no model is at hand")

    def _candidates(self) -> list[ModelInfo]:
        """Return the models on the owner's hosts that chat."""
        embedding = names.canonical(self._settings.embed_model)
        return [
            model
            for model in self._held()
            if not model.remote_host
            and names.canonical(model.name) != embedding
            and "embed" not in model.name
            and "bert" not in str(model.details.get("family", ""))
        ]

    def _fitting(self, rule: PolicyRule, request: ChatRequest) -> tuple[str, ...]:
        """Return the models of a rule that fits the request, else nothing."""
        if not all(_conditions(rule, request)):
            return ()
        found = [
            model for use in rule.use for model in self._named(use, request.agent or "").models
        ]
        return tuple(
            model
            for model in dict.fromkeys(found)
            if self._soon(model, rule, request.agent or "") and self._cheap(model, rule, request)
        )

    def _soon(self, model: str, rule: PolicyRule, kind: str) -> bool:
        """Tell whether a model was measured to answer in the rule's time; unknown is no."""
        if rule.within_s is None:
            return True
        score = self._quality.score(model, kind)
        return score.known and score.mean_s is not None and score.mean_s <= rule.within_s

    def _cheap(self, model: str, rule: PolicyRule, request: ChatRequest) -> bool:
        """Tell whether an answer costs at most the rule's price; one's own models cost nothing."""
        if rule.within_usd is None:
            return True
        most = estimate(request, self._settings.max_tokens, self._prices.get(model))
        return most.usd <= rule.within_usd

    def _permitted(self, found: Choice, request: Spending) -> Choice:
        allowed = tuple(model for model in found.models if self._allowed(model, request))
        if not allowed:
            raise self._refusal(found)
        if allowed[0] not in {*self._settings.clouds, *self._settings.servers}:
            names.refuse_cloud(allowed[0], self._settings)
        return Choice(allowed, found.rule)

    def _allowed(self, model: str, request: Spending) -> bool:
        cloud = self._settings.clouds.get(model)
        return cloud is None or cloud.always or model in (request.model, *request.clouds)

    def _refusal(self, found: Choice) -> Refused:
        cloud = found.models[0]
        return Refused(
            f"{found.rule} leads to the cloud {cloud}, which this request does not allow:"
            f" name it in `clouds`, or set SOVEREIGN_ROUTER__CLOUDS ({cloud}.always)",
            field="clouds",
        )


def _alias(name: str, choice: Choice) -> AliasLine:
    return AliasLine(name=name, models=choice.models, why=choice.rule)


def _quality(model: str, kind: str, score: Score) -> QualityLine:
    return QualityLine(
        model=model,
        kind=kind,
        calls=score.calls,
        invalid=score.invalid,
        cut=score.cut,
        steps=score.steps,
        failed_steps=score.failed,
        good=score.good,
        surely_good=score.surely,
        mean_s=score.mean_s,
    )


def _conditions(rule: PolicyRule, request: ChatRequest) -> tuple[bool, ...]:
    size = prompt_tokens(request) if rule.min_prompt_tokens or rule.max_prompt_tokens else 0
    return (
        not rule.asked or request.model in rule.asked,
        not rule.agents or request.agent in rule.agents,
        not rule.priorities or request.priority in rule.priorities,
        rule.min_prompt_tokens is None or size >= rule.min_prompt_tokens,
        rule.max_prompt_tokens is None or size <= rule.max_prompt_tokens,
        rule.structured in (None, request.format is not None),
        rule.tools in (None, bool(request.tools)),
        rule.images in (None, any(message.images for message in request.messages)),
    )
