"""Signed commands to this host: checked, then done; refusals are recorded with their reason."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from services.ops.children import Child
from services.ops.intensity import Intensity
from services.ops.record import Record
from shared.errors import Refused, SovereignError
from shared.events.ops import CommandReply, OpsCommand, SignedCommand
from shared.rpc import Endpoints
from shared.settings import Settings
from shared.signing import Verifier, public_key
from shared.subjects import ops_command

RESTART_GRACE_S = 1.0
"""A service that is told to restart may finish within this; a hung one cannot hear anyway."""

REFUSALS_RECORDED = 20
"""Refusals that are recorded in a minute; a flood of forged commands must not fill the record."""


class HostWork(Protocol):
    """What a command may ask of the host beyond one of its services."""

    async def declare(self) -> str:
        """Create the streams that are gone; say so in a line."""

    def roll_back(self, cause: str) -> str:
        """Put the last good settings file back; say so in a line."""

    def place(self, service: str, for_host: str) -> str:
        """Start a service of a lost host; say so in a line."""

    def give_back(self, service: str) -> str:
        """End a service that was placed here; say so in a line."""


class Desk:
    """Answers `ops.command.<host>`."""

    def __init__(
        self, settings: Settings, children: Mapping[str, Child], record: Record, host: HostWork
    ) -> None:
        self._settings = settings
        self._children = children
        self._record = record
        self._host = host
        self._subject = ops_command(settings.host)
        self._verifier = Verifier(trusted_keys(settings.data_dir / "keys"), settings.host)
        self._refusals = Intensity(REFUSALS_RECORDED, 60.0)

    async def open(self, endpoints: Endpoints) -> None:
        """Start answering."""
        await endpoints.answer(self._subject, SignedCommand, self.take)

    async def take(self, signed: SignedCommand) -> CommandReply:
        """Do what a valid command says; raise `Refused` with the reason for any other."""
        try:
            command = self._verifier.check(self._subject, signed)
            detail = await self._serve_host(command) or self._obey(command)
        except SovereignError as error:
            self._tell_refused(signed, error)
            raise
        return CommandReply(command_id=command.command_id, accepted=True, detail=detail)

    async def _serve_host(self, command: OpsCommand) -> str:
        """Do what concerns the host; return an empty text when the rest is for the service."""
        cause = f"{command.issued_by}: {command.reason}"
        match command.verb:
            case "declare":
                return await self._host.declare()
            case "place":
                return self._host.place(command.service, command.for_host or "")
            case "give_back":
                return self._host.give_back(command.service)
            case "roll_back":
                child = self._child(command)
                line = self._host.roll_back(cause)
                child.restart(cause, RESTART_GRACE_S)
                return line
        return ""

    def _obey(self, command: OpsCommand) -> str:
        child = self._child(command)
        cause = f"{command.issued_by}: {command.reason}"
        match command.verb:
            case "restart" | "start" | "release":
                child.restart(cause, RESTART_GRACE_S)
            case "drain":
                child.restart(cause, self._settings.ops.drain_s)
            case "kill":
                child.restart(cause, 0.0)
            case "stop":
                child.hold("stopped", cause, self._settings.ops.drain_s)
            case "quarantine":
                child.hold("quarantined", cause, RESTART_GRACE_S)
            case "circuit":
                if not child.open_circuit():
                    raise Refused(f"{child.name} is {child.state}, not ready", field="verb")
        return f"{command.verb} {child.name}: {child.state}"

    def _child(self, command: OpsCommand) -> Child:
        child = self._children.get(command.service)
        if child is None:
            line = f"no service {command.service} on host {self._settings.host}"
            raise Refused(line, field="service")
        if command.instance not in (None, child.instance):
            raise Refused(f"no instance {command.instance} here", field="instance")
        return child

    def _tell_refused(self, signed: SignedCommand, error: SovereignError) -> None:
        if not self._refusals.failed(time.monotonic()):
            return
        evidence = {"field": error.field, "signer": signed.signer[:64]}
        self._record.tell("refused", cause=f"command refused: {error.message}", evidence=evidence)


def trusted_keys(folder: Path) -> frozenset[str]:
    """Return the public nkeys whose commands count: ops of this folder, and `trusted/*.pub`."""
    found = {public_key(folder / "ops.nk")}
    for file in sorted((folder / "trusted").glob("*.pub")):
        found |= {line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line}
    return frozenset(found)
