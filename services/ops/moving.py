"""Services of a host that is lost, or cannot run them: placed where a supervisor offers room."""

from __future__ import annotations

import time
from collections.abc import Iterator

from services.ops.instances import Instances, Key
from services.ops.record import Record
from services.ops.remedies import Commander
from services.ops.returning import is_back
from shared.errors import SovereignError

HEARD_S = 3.0
BACK_S = 20.0


class Mover:
    """Knows who offers what from the supervisors' beats; remembers nothing itself.

    So a new leader goes on where the last one ended.
    """

    def __init__(self, instances: Instances, commander: Commander, record: Record) -> None:
        self._instances = instances
        self._commander = commander
        self._record = record

    def target(self, host: str, service: str) -> str | None:
        """Return a host, other than `host`, that offers room for the service; else None."""
        present = time.monotonic()
        for other in self._instances.hosts():
            supervisor = self._instances.supervisor_of(other)
            if supervisor is None or other == host or present - supervisor.heard_at > HEARD_S:
                continue
            offers = supervisor.beat.info.get("offers")
            offered = isinstance(offers, list) and service in offers
            if offered and service not in self._instances.children(other):
                return other
        return None

    def movable(self, host: str) -> list[str]:
        """Return the services of a host for which another one offers room."""
        return [name for name in self._instances.children(host) if self.target(host, name)]

    async def move(self, host: str, service: str, cause: str, episode: str) -> bool:
        """Place the service elsewhere; tell whether it became ready there. Recorded either way."""
        other = self.target(host, service)
        if other is None:
            return False
        began = time.monotonic()
        try:
            await self._commander.command("place", (other, service), cause, for_host=host)
            key: Key = (other, service, f"{service}-1")
            outcome = "placed" if await is_back(self._instances, key, "", BACK_S) else "not ready"
        except SovereignError as error:
            outcome = f"not done: {error.message}"
        self._record.tell(
            "moved", service, host=other, cause=cause, outcome=outcome, episode=episode,
            duration_s=time.monotonic() - began, evidence={"from": host, "to": other},
        )  # fmt: skip
        return outcome == "placed"

    async def give_back(self) -> None:
        """End what was placed for a host whose own service is ready again."""
        for other, service, home in list(self._returned()):
            cause = f"{service} is ready on {home} again"
            try:
                await self._commander.command("give_back", (other, service), cause)
                outcome = "given back"
            except SovereignError as error:
                outcome = f"not done: {error.message}"
            evidence = {"from": other, "to": home}
            about = {"host": other, "cause": cause, "outcome": outcome, "evidence": evidence}
            self._record.tell("moved", service, **about)

    def _returned(self) -> Iterator[tuple[str, str, str]]:
        for other in self._instances.hosts():
            for service, child in self._instances.children(other).items():
                home = child.get("placed_for") if isinstance(child, dict) else None
                if home and child.get("state") == "ready" and self._is_home(str(home), service):
                    yield other, service, str(home)

    def _is_home(self, home: str, service: str) -> bool:
        supervisor = self._instances.supervisor_of(home)
        if supervisor is None or time.monotonic() - supervisor.heard_at > HEARD_S:
            return False
        child = self._instances.children(home).get(service)
        return isinstance(child, dict) and child.get("state") == "ready"
