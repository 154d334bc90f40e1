"""One episode with remedies: the views, a decision, the remedy, and the proof that it worked."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence

import anyio

from services.ops.episodes import Episode
from services.ops.escalation import Escalation
from services.ops.instances import Instance, Instances, Key
from services.ops.intensity import Intensity
from services.ops.lessons import Lessons
from services.ops.moving import Mover
from services.ops.pinging import answers
from services.ops.policy import Decision, Remedy, Views, decide
from services.ops.record import Record
from services.ops.remedies import Commander
from services.ops.returning import is_back
from services.ops.symptoms import Finding, Symptom, memory
from services.ops.symptoms import answers as symptoms_of_answers
from shared.bus import Bus
from shared.errors import SovereignError

VERIFY_S = 20.0
"""A remedy has failed when the service is not ready again after this long."""

SUPERVISOR_HEARD_S = 3.0
REMEDIES_IN_WINDOW = 5
REMEDY_WINDOW_S = 300.0
KNOWN = 1000
LOOK_AGAIN_S = 5.0
"""While nothing can be done, the views are taken again so often."""

REST_S = 300.0
"""After the last remedy the first comes again no earlier: vain ones must not fill the record."""

SILENT: frozenset[Symptom] = frozenset({"hang", "host_lost"})
"""Symptoms that end with the next beat."""

QUIET_S = 10.0
"""After a circuit has closed, answers must stay in time for so long."""


class Healer:
    """Heals one instance at a time; knows what was done lately."""

    def __init__(
        self, bus: Bus, instances: Instances, record: Record, commander: Commander, mover: Mover
    ) -> None:
        self._bus = bus
        self._instances = instances
        self._record = record
        self._commander = commander
        self._mover = mover
        self._recent: OrderedDict[Key, Intensity] = OrderedDict()
        self.escalation = Escalation(record, None)
        self.lessons = Lessons()
        self.actions = 0

    async def heal(self, instance: Instance, finding: Finding) -> None:
        """Go through one episode; the end is recorded whatever it is."""
        episode = Episode(instance, finding, self._record)
        episode.begin()
        tried: list[Remedy] = []
        last: Decision | None = None
        while True:
            decision = decide(finding.symptom, await self._views(episode, tried), self.lessons)
            if decision != last:
                episode.tell_decision(decision)
                self._escalate(episode, decision)
            last = decision
            if decision.remedy is None:
                if await _ended(episode):
                    return
                continue
            tried.append(decision.remedy)
            if await self._try(episode, decision.remedy):
                return
            if decision.remedy == "quarantine":
                await self._rest(episode)
                return

    async def _rest(self, episode: Episode) -> None:
        """Wait for the end, nothing being left to do; all begins anew unless it is kept down."""
        host, service, _ = episode.instance.key
        until = time.monotonic() + REST_S
        while not await _ended(episode):
            state = self._instances.children(host).get(service, {}).get("state")
            if time.monotonic() > until and state != "quarantined":
                return

    def _escalate(self, episode: Episode, decision: Decision) -> None:
        if decision.escalate:
            host, service, name = episode.instance.key
            level = "host" if decision.remedy == "move" else "person"
            cause = f"{episode.finding.cause}; {decision.why}"
            evidence = {"level": level, "next": decision.remedy or "none"}
            about = {"host": host, "instance": name, "episode": episode.id, "evidence": evidence}
            self.escalation.call(service, episode.finding.symptom, cause, **about)

    async def _views(self, episode: Episode, tried: Sequence[Remedy]) -> Views:
        key = episode.instance.key
        host, service, _ = key
        supervisor = self._instances.supervisor_of(host)
        heard_s = time.monotonic() - supervisor.heard_at if supervisor is not None else None
        lost = episode.finding.symptom == "host_lost"
        movable = self._mover.movable(host) if lost else self._mover.target(host, service)
        return Views(
            supervisor=heard_s is not None and heard_s < SUPERVISOR_HEARD_S,
            answers=not lost and await answers(self._bus, key),
            room=self._intensity(key).recent(time.monotonic()) < REMEDIES_IN_WINDOW,
            elsewhere=bool(movable),
            fits=not episode.instance.memory.never_fitted(episode.instance.beat.rss_cap_bytes),
            tried=tuple(tried),
        )

    def _intensity(self, key: Key) -> Intensity:
        found = self._recent.setdefault(key, Intensity(REMEDIES_IN_WINDOW, REMEDY_WINDOW_S))
        self._recent.move_to_end(key)
        while len(self._recent) > KNOWN:
            self._recent.popitem(last=False)
        return found

    async def _try(self, episode: Episode, remedy: Remedy) -> bool:
        """Do the remedy and wait for the proof; tell whether it worked."""
        self._intensity(episode.instance.key).failed(time.monotonic())
        self.actions += 1
        began = time.monotonic()
        try:
            outcome = "recovered" if await self._do(episode, remedy) else "not back"
        except SovereignError as error:
            outcome = f"not done: {error.message}"
        took = time.monotonic() - began
        episode.tell("outcome", remedy=remedy, outcome=outcome, duration_s=took)
        if outcome == "recovered":
            episode.tell_recovered(remedy)
        return outcome == "recovered"

    async def _do(self, episode: Episode, remedy: Remedy) -> bool:
        host, service, _ = episode.instance.key
        if remedy == "move":
            return await self._move(episode)
        await self._commander.command(remedy, (host, service), episode.finding.cause)
        if remedy == "circuit":
            return await self._is_quick_again(episode.instance)
        if remedy == "quarantine":
            return False
        ill = episode.instance
        return await is_back(self._instances, ill.key, ill.beat.boot, VERIFY_S)

    async def _move(self, episode: Episode) -> bool:
        """Place one service, or all that a lost host had and others offer room for."""
        host, service, _ = episode.instance.key
        if episode.finding.symptom == "host_lost":
            moved = [
                await self._mover.move(host, name, episode.finding.cause, episode.id)
                for name in self._mover.movable(host)
            ]
            return bool(moved) and all(moved)
        await self._commander.command("quarantine", (host, service), episode.finding.cause)
        return await self._mover.move(host, service, episode.finding.cause, episode.id)

    async def _is_quick_again(self, instance: Instance) -> bool:
        """Wait until the circuit is closed; tell whether answers then stay in time."""
        await anyio.sleep(max(1.0, 2 * instance.beat.interval_s))
        with anyio.move_on_after(VERIFY_S + QUIET_S):
            while instance.beat.refusing_s > 0 and not instance.gone:
                await instance.changed.wait()
        instance.answering.forget()
        await anyio.sleep(QUIET_S)
        return not instance.gone and instance.answering.slow() is None


async def _ended(episode: Episode) -> bool:
    """Wait a little for the end of an illness that nobody treats; record it when it comes."""
    instance, symptom = episode.instance, episode.finding.symptom
    heard = False
    with anyio.move_on_after(LOOK_AGAIN_S):
        await instance.changed.wait()
        heard = True
    if instance.gone:
        episode.tell_gone()
        return True
    if symptom in SILENT:
        over = heard
    elif not heard:  # so that a hang is seen, however long this illness lasts
        episode.tell("outcome", remedy="none", outcome="it fell silent")
        return True
    else:
        await anyio.sleep(LOOK_AGAIN_S)
        over = memory(instance) is None and symptoms_of_answers(instance) is None
    if over:
        episode.tell_recovered("none")
    return over
