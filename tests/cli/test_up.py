import pytest

from tests.cli.conftest import ended


@pytest.mark.parametrize("command", ["up", "run"])
def test_an_unknown_service_is_wrong_usage(run, command):
    done = run(command, "nonsense")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "router, agents, match, ops, sessions, dashboard" in done.stderr


def test_an_unknown_engine_is_wrong_usage(run):
    assert run("up", "--engine", "magic").exit_code == 2


async def test_run_becomes_the_service(process):
    done = await ended(await process("run", "match", SOVEREIGN_MATCH__COMMISSION="much"))
    assert done.exit_code == 2
    assert done.stderr.startswith("sovereign match: SOVEREIGN_MATCH__COMMISSION")


async def test_up_becomes_the_supervisor_with_the_options_as_settings(process, tmp_path):
    (tmp_path / "data").write_text("a file where a folder should be")
    done = await ended(await process("up", "router", "--engine", "offline", "--pull"))
    assert done.exit_code == 2
    assert done.stderr.startswith("sovereign up: SOVEREIGN_DATA_DIR")


async def test_a_host_name_that_is_no_token_is_refused(process):
    done = await ended(await process("up", "--host", "a.b"))
    assert (done.exit_code, "SOVEREIGN_HOST" in done.stderr) == (2, True)
