"""Why a status is not healthy, one line each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from shared.clock import now
from shared.events.ops import InstanceStatus, OpsCheck, OpsEvent

UNSTORED = timedelta(seconds=10)
"""An entry of the record that waits for its acknowledgement longer than this is told."""

TOLD_CHARS = 400


def of_instances(instances: Iterable[InstanceStatus]) -> Iterator[str]:
    """Yield what ails each instance, and what supervisors say of their hosts."""
    for one in instances:
        if one.symptom is not None:
            yield f"{one.service} on {one.host}: {one.symptom}"
        elif one.state != "ready":
            yield f"{one.service} on {one.host} is {one.state}"
        said = one.info.get("reasons") if one.service == "supervisor" else None
        for line in said if isinstance(said, list) else ():
            yield f"{one.host}: {str(line)[:TOLD_CHARS]}"


def of_checks(checks: Iterable[OpsCheck]) -> Iterator[str]:
    """Yield what failed at the last look; warnings are no illness."""
    for check in checks:
        if check.state == "fail":
            yield f"{check.name}: {check.advice}"[:TOLD_CHARS]


def of_record(waiting: Sequence[OpsEvent]) -> Iterator[str]:
    """Yield a line when the bus has not stored an entry of the record for a while."""
    if waiting and now() - waiting[0].at > UNSTORED:
        seconds = (now() - waiting[0].at).total_seconds()
        yield f"the bus has not stored what ops told it {seconds:.0f} s ago"
