"""Applies what is recommended, remembers it over restarts, measures it, takes it back."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from nats.aio.msg import Msg

from services.router.recent import between
from services.router.record import Record
from services.router.tuning.levers import Lever, Levers
from services.router.tuning.metrics import measure, verdict
from services.router.tuning.store import Changes, Store
from shared.clock import now
from shared.errors import Conflict, InvalidInput, NotFound, SovereignError
from shared.events import Empty, Recommendation, TuningAsk, TuningChange, TuningChanges
from shared.ids import ulid

log = logging.getLogger(__name__)

Advise = Callable[[], Awaitable[tuple[Recommendation, ...]]]


class Tuner:
    """Answers `model.apply`, `model.rollback` and `model.changes`.

    The changes in force are a fold: each applies on top of what was configured and of those
    before it, as long as it finds the value that it was made for.
    """

    def __init__(self, levers: Levers, store: Store, record: Record, advise: Advise) -> None:
        self._levers = levers
        self._store = store
        self._record = record
        self._advise = advise
        self._configured: dict[str, str] = {}
        self._superseded: set[str] = set()

    async def load(self) -> None:
        """Bring the kept changes into force; without the bus, what is configured stays."""
        try:
            changes, _ = await self._store.read()
        except SovereignError as error:
            log.warning("changes are not in force: %s", error.message)
            return
        self._enforce(changes)

    async def heard(self, _: Msg) -> None:
        """Follow a change that another router made."""
        await self.load()

    async def apply(self, ask: TuningAsk) -> TuningChange:
        """Do what the recommendation says, or set its setting to `value`."""
        advice = next((one for one in await self._advise() if one.id == ask.id), None)
        if advice is None:
            raise NotFound(f"no recommendation {ask.id} now: see the report", field="id")
        if not advice.applicable:
            raise InvalidInput(f"{ask.id} is for people to do: {advice.gain}", field="id")
        changes, revision = await self._store.read()
        change = await self._change(ask, advice)
        await self._keep((change, *changes), revision)
        return change

    async def rollback(self, ask: TuningAsk) -> TuningChange:
        """Bring the value of before back; changes of one setting go in reverse order."""
        changes, revision = await self._store.read()
        change = next((one for one in changes if one.id == ask.id), None)
        if change is None:
            raise NotFound(f"no change {ask.id}", field="id")
        if change.state != "applied":
            raise Conflict(f"change {ask.id} is {change.state} already", field="id")
        newest = next(c for c in changes if c.setting == change.setting and c.state == "applied")
        if newest.id != change.id:
            raise Conflict(f"take {newest.id} back first: it changed {change.setting} later")
        ended = (await self._measured(change)).model_copy(
            update={"state": "rolled_back", "rolled_back_at": now()}
        )
        await self._keep(tuple(ended if c is change else c for c in changes), revision)
        return ended

    async def changes(self, _: Empty) -> TuningChanges:
        """Return all changes with what was measured before and after."""
        changes, _revision = await self._store.read()
        return TuningChanges(changes=tuple([await self._measured(one) for one in changes]))

    async def _change(self, ask: TuningAsk, advice: Recommendation) -> TuningChange:
        lever = self._levers.find(advice.setting)
        wanted, before = ask.value or advice.proposed, lever.read()
        lever.check(wanted)
        if wanted == before:
            raise Conflict(f"{advice.setting} is {before} already", field="value")
        found = await between(self._record, None, None)
        return TuningChange(
            id=ulid(),
            recommendation=advice.id,
            title=advice.title,
            setting=advice.setting,
            before=before,
            after=wanted,
            metric=advice.metric,
            expected=advice.expected,
            measured_before=measure(found, advice.metric),
            by=ask.by,
        )

    async def _measured(self, change: TuningChange) -> TuningChange:
        """Return the change with what was measured since; of one taken back, until then."""
        if change.state != "applied":
            return change
        if change.id in self._superseded:
            return change.model_copy(update={"state": "superseded"})
        found = await between(self._record, change.applied_at, None)
        after = measure(found, change.metric)
        return change.model_copy(
            update={"measured_after": after, "verdict": verdict(change, after)}
        )

    async def _keep(self, changes: Changes, revision: int) -> None:
        await self._store.write(changes, revision)
        self._enforce(changes)

    def _enforce(self, changes: Changes) -> None:
        """Set every lever that a change ever touched to what holds now."""
        for setting in {change.setting for change in changes}:
            try:
                lever = self._levers.find(setting)
            except NotFound:
                continue  # a host that is not in the pool any more
            base = self._configured.setdefault(setting, lever.read())
            chain = [c for c in reversed(changes) if (c.setting, c.state) == (setting, "applied")]
            value, without = in_force(base, chain)
            self._superseded |= {change.id for change in without}
            if value != lever.read():
                _write(lever, setting, value)


def _write(lever: Lever, setting: str, value: str) -> None:
    """Set a lever; a kept value that it takes no more (its bounds are new) stays out of force."""
    try:
        lever.write(value)
    except InvalidInput as error:
        log.warning("%s stays %s: %s", setting, lever.read(), error.message)
    else:
        log.info("%s is now %s", setting, value or "not set")


def in_force(configured: str, chain: list[TuningChange]) -> tuple[str, list[TuningChange]]:
    """Return the value after the changes of one setting, the oldest first, and those without
    effect, since they were made for another value."""
    value, without = configured, []
    for change in chain:
        if change.before == value:
            value = change.after
        else:
            without.append(change)
    return value, without
