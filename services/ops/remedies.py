"""Signed commands to supervisors, fenced by the lease's revision."""

from __future__ import annotations

from datetime import timedelta

from services.ops.leader import Lease
from shared.bus import Bus
from shared.clock import now
from shared.errors import Unavailable
from shared.events.ops import CommandReply, OpsCommand, Verb
from shared.ids import ulid
from shared.signing import Signer
from shared.subjects import ops_command

VALID_FOR = timedelta(seconds=10)
ANSWER_S = 3.0


class Commander:
    """Commands in the name of the leader, and only while the lease is held."""

    def __init__(self, bus: Bus, signer: Signer, lease: Lease, issuer: str) -> None:
        self._bus = bus
        self._signer = signer
        self._lease = lease
        self._issuer = issuer

    async def command(
        self, verb: Verb, target: tuple[str, str], reason: str, for_host: str | None = None
    ) -> CommandReply:
        """Have the supervisor of a host do `verb` with a service; `target` is host, service.

        Raises `Unavailable` when this is not the leader or no supervisor answers, `Refused`
        with the supervisor's reason.
        """
        if not self._lease.held:
            raise Unavailable("this ops does not lead", retry_after_s=1.0)
        host, service = target
        present = now()
        command = OpsCommand(
            command_id=ulid(),
            verb=verb,
            host=host,
            service=service,
            reason=reason[:2000],
            issued_by=self._issuer,
            issued_at=present,
            expires_at=present + VALID_FOR,
            nonce=ulid(),
            revision=self._lease.revision,
            for_host=for_host,
        )
        subject = ops_command(host)
        signed = self._signer.sign(subject, command)
        return await self._bus.request(subject, signed, CommandReply, ANSWER_S)
