from datetime import timedelta

import pytest

from shared.clock import now
from shared.errors import Refused
from shared.events import OpsCommand
from shared.ids import ulid
from shared.signing import Signer, Verifier, seed

SUBJECT = "ops.command.h1"


@pytest.fixture
def signer(tmp_path):
    return Signer(seed(tmp_path / "ops.nk"))


@pytest.fixture
def verifier(signer):
    return Verifier(frozenset({signer.public}), "h1")


def command(**changes) -> OpsCommand:
    present = now()
    fields = {
        "command_id": "c1", "verb": "restart", "host": "h1", "service": "router",
        "reason": "hung", "issued_by": "ops", "issued_at": present, "nonce": ulid(),
        "expires_at": present + timedelta(seconds=10), "revision": 5,
    }  # fmt: skip
    return OpsCommand.model_validate(fields | changes)


def test_a_good_command_is_accepted_once(signer, verifier):
    signed = signer.sign(SUBJECT, command())
    assert verifier.check(SUBJECT, signed).service == "router"
    with pytest.raises(Refused, match="seen before"):
        verifier.check(SUBJECT, signed)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"host": "h2"}, "host"),
        ({"expires_at": now() - timedelta(seconds=1)}, "expires_at"),
        ({"issued_at": now() - timedelta(hours=1)}, "issued_at"),
        ({"issued_at": now() + timedelta(hours=1)}, "issued_at"),
    ],
)
def test_a_command_for_elsewhere_or_another_time_is_refused(signer, verifier, changes, field):
    with pytest.raises(Refused) as caught:
        verifier.check(SUBJECT, signer.sign(SUBJECT, command(**changes)))
    assert caught.value.field == field


def test_a_replay_after_a_restart_of_the_verifier_is_refused(signer, verifier):
    signed = signer.sign(SUBJECT, command())
    verifier.check(SUBJECT, signed)
    with pytest.raises(Refused, match="older than this supervisor"):
        Verifier(frozenset({signer.public}), "h1").check(SUBJECT, signed)


def test_a_stale_revision_is_refused(signer, verifier):
    verifier.check(SUBJECT, signer.sign(SUBJECT, command(revision=6)))
    with pytest.raises(Refused, match="stale"):
        verifier.check(SUBJECT, signer.sign(SUBJECT, command(revision=5)))


def test_another_subject_or_payload_breaks_the_signature(signer, verifier):
    signed = signer.sign("ops.command.h2", command())
    with pytest.raises(Refused, match="signature"):
        verifier.check(SUBJECT, signed)
    good = signer.sign(SUBJECT, command())
    forged = good.model_copy(update={"payload": good.payload.replace("router", "agents")})
    with pytest.raises(Refused, match="signature"):
        verifier.check(SUBJECT, forged)


def test_an_unknown_signer_is_refused(verifier, tmp_path):
    stranger = Signer(seed(tmp_path / "stranger.nk"))
    with pytest.raises(Refused, match="not trusted"):
        verifier.check(SUBJECT, stranger.sign(SUBJECT, command()))


def test_the_seed_is_private_and_stays_the_same(tmp_path):
    path = tmp_path / "keys" / "ops.nk"
    assert seed(path) == seed(path)
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("step", [timedelta(hours=-1), timedelta(hours=1)])
def test_a_step_of_the_hosts_clock_makes_no_verifier_deaf(signer, verifier, step, monkeypatch):
    present = now() + step
    monkeypatch.setattr("shared.signing.now", lambda: present)
    later = command(issued_at=present, expires_at=present + timedelta(seconds=10))
    assert verifier.check(SUBJECT, signer.sign(SUBJECT, later)).verb == "restart"
