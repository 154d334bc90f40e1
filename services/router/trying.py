"""Tries the models of a choice in turn, within the caller's time; every failure is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from services.router.engine import Engine
from services.router.policy.policy import FALL_BACK, Choice
from services.router.switch import Switch
from shared.errors import (
    Cancelled,
    EngineFailed,
    ModelMissing,
    NeedsModel,
    Refused,
    SovereignError,
    TimedOut,
    Unavailable,
)


class Attempt(Protocol):
    """What is tried: `engine` when one was chosen, `last` while no other model is left.

    `told` once the caller has seen a part of the answer: no other model may begin anew then.
    """

    engine: Engine | None
    rule: str
    last: bool
    told: bool

    @property
    def model(self) -> str:
        """Return the model that is tried now."""
        ...

    def try_model(self, model: str, last: bool) -> None:
        """Begin with this model."""
        ...


Errand = TypeVar("Errand", bound=Attempt)
Got = TypeVar("Got")
Failed = Callable[[Errand, str, str], None]
"""Records a failure: of what, its code, at which host if at one."""


@dataclass(frozen=True, slots=True)
class Trying(Generic[Errand, Got]):
    """`serve` asks an engine for the model of now, `failed` records who is followed by another."""

    switch: Switch
    serve: Callable[[Errand, Engine], Awaitable[Got]]
    failed: Failed[Errand]

    async def within(self, seconds: float, errand: Errand, choice: Choice) -> Got:
        """Return what the first model brings that can; raise `TimedOut` after `seconds`."""
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await self._first(errand, choice)
        except TimeoutError:
            if not limit.expired():
                raise
            raise TimedOut(f"no answer in {seconds:g} s", field="timeout_s") from None

    async def _first(self, errand: Errand, choice: Choice) -> Got:
        errand.rule = choice.rule
        for model in choice.models:
            errand.try_model(model, last=model == choice.models[-1])
            try:
                return await self._twice(errand)
            except FALL_BACK as error:
                if errand.last or errand.told:
                    raise
                if errand.engine is not None and not isinstance(error, NeedsModel):
                    self.failed(errand, error.code, error.host)
                errand.rule = f"{choice.rule}; after {model}: {error.code}"
        raise Refused("no model is left to try", field="model")

    async def _twice(self, errand: Errand) -> Got:
        """Look again when the engine is not what it was a moment ago, then choose anew."""
        try:
            return await self._serve(errand)
        except (Unavailable, ModelMissing) as error:
            before = errand.engine
            await self.switch.probe()
            again = await self.switch.choose(errand.model)
            if isinstance(error, ModelMissing) and again is before:
                raise
        except EngineFailed:
            await self.switch.probe()
            raise
        return await self._serve(errand)

    async def _serve(self, errand: Errand) -> Got:
        engine = errand.engine = await self.switch.choose(errand.model)
        if not engine.is_llm and not errand.last:
            raise ModelMissing(f"{errand.model} is not at hand", field="model")
        return await self.serve(errand, engine)


@contextmanager
def recorded(errand: Errand, failed: Failed[Errand]) -> Iterator[None]:
    """Record what ends the body before its time.

    A request that waits for a model (`NeedsModel`) is no call, and comes again and again.
    """
    try:
        yield
    except NeedsModel:
        raise
    except SovereignError as error:
        failed(errand, error.code, error.host)
        raise
    except asyncio.CancelledError:
        failed(errand, Cancelled.code, "")
        raise
