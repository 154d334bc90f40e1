"""Ed25519 signatures (nkeys) on commands: rights on subjects alone do not protect them.

A signature covers the subject and the exact payload bytes. The verifier checks the signer, the
time window, that the nonce is new, that the command is for this host, and the fencing revision.
"""

from __future__ import annotations

import base64
import binascii
import os
import time
from collections import OrderedDict
from datetime import timedelta
from pathlib import Path

import nkeys
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey
from pydantic import ValidationError

from shared.clock import now
from shared.errors import Refused
from shared.events.ops import OpsCommand, SignedCommand

MAX_AGE = timedelta(seconds=30)
MAX_NONCES = 10_000


class Signer:
    """Signs commands with the seed of one nkey."""

    def __init__(self, seed: bytes) -> None:
        self._pair = nkeys.from_seed(seed)
        self.public: str = self._pair.public_key.decode()

    def sign(self, subject: str, command: OpsCommand) -> SignedCommand:
        """Return the command, signed for this very subject."""
        payload = command.model_dump_json()
        raw: bytes = self._pair.sign(_covered(subject, payload))
        return SignedCommand(
            payload=payload, signer=self.public, signature=base64.b64encode(raw).decode()
        )


class Verifier:
    """Accepts each valid command once; remembers nonces and the highest revision.

    Commands from before it existed are refused: it cannot know whether they were seen.
    """

    def __init__(self, trusted: frozenset[str], host: str) -> None:
        self._trusted = trusted
        self._host = host
        self._began = time.monotonic()
        self._nonces: OrderedDict[str, None] = OrderedDict()
        self.revision = 0

    def check(self, subject: str, signed: SignedCommand) -> OpsCommand:
        """Return the command, or raise `Refused` with the reason."""
        self._check_signature(subject, signed)
        command = _parse(signed.payload)
        self._check_window(command)
        if command.host != self._host:
            raise Refused(f"the command is for host {command.host}", field="host")
        if command.nonce in self._nonces:
            raise Refused("the command was seen before", field="nonce")
        if command.revision < self.revision:
            raise Refused(f"revision {command.revision} is stale", field="revision")
        self._remember(command)
        return command

    def _check_signature(self, subject: str, signed: SignedCommand) -> None:
        if signed.signer not in self._trusted:
            raise Refused("the signer is not trusted", field="signer")
        try:
            raw = base64.b64decode(signed.signature, validate=True)
            _verify_key(signed.signer).verify(_covered(subject, signed.payload), raw)
        except (binascii.Error, ValueError, BadSignatureError) as error:
            raise Refused("the signature is wrong", field="signature") from error

    def _check_window(self, command: OpsCommand) -> None:
        present = now()
        if command.issued_at > present + MAX_AGE or command.issued_at < present - MAX_AGE:
            raise Refused("the command is too old or from the future", field="issued_at")
        # Its own age is monotonic: a clock that is set back must not make it deaf for an hour.
        if command.issued_at < present - timedelta(seconds=time.monotonic() - self._began):
            raise Refused("the command is older than this supervisor", field="issued_at")
        if command.expires_at <= present:
            raise Refused("the command has expired", field="expires_at")

    def _remember(self, command: OpsCommand) -> None:
        self.revision = max(self.revision, command.revision)
        self._nonces[command.nonce] = None
        while len(self._nonces) > MAX_NONCES:
            self._nonces.popitem(last=False)


def _covered(subject: str, payload: str) -> bytes:
    return f"{subject}\n{payload}".encode()


def _verify_key(public: str) -> VerifyKey:
    """Return the key inside a public nkey: base 32 of a prefix byte, 32 bytes, a CRC-16."""
    raw = base64.b32decode(public + "=" * (-len(public) % 8))
    return VerifyKey(raw[1:33])


def _parse(payload: str) -> OpsCommand:
    try:
        return OpsCommand.model_validate_json(payload)
    except ValidationError as error:
        raise Refused(f"the command is malformed: {error.errors()[0]['msg']}") from None


def seed(path: Path) -> bytes:
    """Return the user nkey seed kept in `path` (mode 0600), making it on first use."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made: bytes = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(made)
    return path.read_bytes().strip()


def public_key(path: Path) -> str:
    """Return the public nkey that belongs to the seed in `path`."""
    key: str = nkeys.from_seed(seed(path)).public_key.decode()
    return key
