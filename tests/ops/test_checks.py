import subprocess
import sys
from datetime import timedelta

import pytest

from services.ops import audit, checks
from services.ops.checks import Checks, Fixes
from shared import backups
from shared.clock import now
from shared.errors import InvalidInput
from shared.events import CacheStatus, DeadLetter, EngineStatus, OptimizationReport
from shared.events.base import Reason
from shared.settings import OpsSettings


async def _mended() -> str:
    return "mended"


def looking(bus, settings, **limits) -> Checks:
    given = settings.model_copy(update={"ops": OpsSettings(**limits)})
    return Checks(bus, given, Fixes(_mended, _mended))


async def found(bus, settings, **limits) -> dict:
    settings.data_dir.mkdir(exist_ok=True)
    return {check.name: check for check in await looking(bus, settings, **limits).run()}


async def test_what_can_be_seen_of_a_healthy_host_is_well(bus, settings):
    seen = await found(bus, settings)
    assert [name for name, check in seen.items() if check.state != "ok"] == ["model", "cache"]
    assert seen["model"].advice == "nobody answers on model.status"
    assert seen["backup"].fixed == ""


async def test_dead_letters_are_pointed_out(bus, settings):
    letter = DeadLetter(
        stream="TASKS", subject="task.request.low", payload="x",
        reason=Reason(code="invalid_input", message="no title"),
    )  # fmt: skip
    await bus.publish("dead.TASKS", letter, "d1")
    assert "1 dead letters" in (await found(bus, settings))["dead_letters"].advice


async def test_a_stream_that_is_gone_is_told_and_declared_anew(bus, settings):
    await bus.js.delete_stream("STEPS")
    check = (await found(bus, settings))["streams"]
    assert (check.state, check.fixed) == ("fail", "mended")
    assert "stream STEPS is gone" in check.advice


async def test_a_consumer_that_is_gone_is_told_and_declared_anew(bus, settings):
    await bus.js.delete_consumer("TASKS", "manager-high")
    check = (await found(bus, settings))["consumers"]
    assert (check.state, check.fixed) == ("fail", "mended")
    assert check.advice == "consumer TASKS/manager-high is gone"


async def test_a_consumer_that_lags_is_told(bus, settings, monkeypatch):
    monkeypatch.setattr(audit, "LAG_WARN", 1)
    for _ in range(3):
        await bus.js.publish("task.request.low", b"{}")
    check = (await found(bus, settings))["consumers"]
    assert "3 messages wait for TASKS/manager-low" in check.advice
    assert check.seen["TASKS/manager-low"]["pending"] == 3


async def test_a_stream_that_went_back_in_time_was_lost_or_restored(bus, settings):
    looker = looking(bus, settings)
    settings.data_dir.mkdir()
    await bus.js.publish("task.request.low", b"{}")
    await looker.run()
    await bus.js.delete_stream("TASKS")
    await looker.run()
    await checks.audit.look(bus)
    from shared import bootstrap

    await bootstrap.ensure(bus)
    told = {check.name: check for check in await looker.run()}["streams"]
    assert told.advice == "TASKS ended at 1 and now ends at 0"


def test_counts_that_do_not_fit_their_sequences_are_told():
    from nats.js.api import StreamState

    from shared.streams import LEDGER, TASKS

    def state(messages: int, first: int, last: int, deleted: int) -> StreamState:
        return StreamState(messages, 0, first, last, 1, num_deleted=deleted)

    assert list(audit.disagreements(TASKS, state(7, 1, 10, 3))) == []
    assert list(audit.disagreements(TASKS, state(0, 11, 10, 0))) == []
    lost = list(audit.disagreements(TASKS, state(6, 1, 10, 3)))
    assert lost == ["TASKS: 6 messages in 10 sequences, 3 deleted"]
    assert "is sealed, but lacks" in next(audit.disagreements(LEDGER, state(9, 1, 10, 1)))


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "LEAST_DISK", 1 << 62)
    assert str(tmp_path) in checks.disk(tmp_path).advice


def test_room_is_made_of_old_logs_and_all_backups_but_the_last(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "backups").mkdir()
    spare = ["logs/match.log.1", "backups/sovereign-20260101T000000Z.tar"]
    kept = ["logs/match.log", "backups/sovereign-20260102T000000Z.tar"]
    for name in spare + kept:
        (tmp_path / name).write_bytes(b"x")
    assert checks.make_room(tmp_path).startswith("2 old files removed")
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(kept)


async def test_a_backup_that_is_too_old_is_made_anew(bus, settings):
    folder = settings.data_dir / "backups"
    folder.mkdir(parents=True)
    old = now() - timedelta(seconds=7200)
    (folder / f"sovereign-{old:%Y%m%dT%H%M%SZ}.tar").touch()
    assert (await found(bus, settings, backup_s=3600))["backup"].fixed == "mended"
    assert (await found(bus, settings, backup_s=8000))["backup"].fixed == ""
    assert backups.age_s(backups.listed(folder)[0], now()) >= 7200


@pytest.mark.parametrize(
    ("setting", "state", "word"),
    [("offline", "offline", "ok"), ("ollama", "model_missing", "warn"), ("auto", "absent", "warn")],
)
def test_a_model_that_is_not_there_is_told(setting, state, word):
    engine = EngineStatus(engine="x", setting=setting, state=state, is_llm=False, model="m")
    assert checks.model(engine).state == word


def test_a_cache_that_is_of_no_use_is_told():
    cache = CacheStatus(hits=1, misses=499)
    poor = OptimizationReport(cache=cache, parts={"reuse": 0.002})
    assert checks.cache(poor).state == "warn"
    assert checks.cache(OptimizationReport()).state == "ok"


def certificate(folder, days: int):
    file = folder / f"{days}.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x",
               "-days", str(days), "-keyout", str(folder / "key"), "-out", str(file)]  # fmt: skip
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return file


def test_a_certificate_that_ends_soon_is_told(tmp_path):
    files = (certificate(tmp_path, 100), certificate(tmp_path, 5))
    check = checks.certificates(files)
    assert check.state == "warn"
    assert check.advice == f"{files[1]} ends in 5 days"
    assert check.seen["days_left"]["100.pem"] == pytest.approx(100, abs=0.01)


def test_what_is_no_certificate_is_named(tmp_path):
    with pytest.raises(InvalidInput, match="no certificate in PEM"):
        checks.certificates((tmp_path / sys.executable,))
    (tmp_path / "x").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(InvalidInput, match="no certificate in PEM"):
        checks.certificates((tmp_path / "x",))
