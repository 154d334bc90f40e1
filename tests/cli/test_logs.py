import pytest


@pytest.fixture
def folder(tmp_path):
    logs = tmp_path / "data" / "logs"
    logs.mkdir(parents=True)
    (logs / "router.log").write_text("one\ntwo \x1b[2J\n")
    (logs / "agents.log").write_text("three\n")
    return logs


def test_the_last_lines_of_a_service_cannot_steer_a_terminal(run, folder):
    done = run("logs", "router", "--lines", "1")
    assert (done.exit_code, done.stdout) == (0, "two \\x1b[2J\n")


def test_without_a_name_each_line_tells_its_service(run, folder):
    assert "agents     three\n" in run("logs").stdout


@pytest.mark.parametrize(("name", "said"), [("roter", "agents, router"), ("match", "agents")])
def test_an_unknown_log_fails_with_those_that_there_are(run, folder, name, said):
    done = run("logs", name)
    assert (done.exit_code, said in done.stderr) == (1, True)


def test_a_folder_without_logs_tells_where_to_look(run):
    done = run("logs")
    assert (done.exit_code, "sovereign up" in done.stderr) == (1, True)


async def test_follow_goes_on_with_whole_lines_and_a_new_file_of_the_same_name(process, folder):
    started = await process("logs", "router", "-n", "1", "--follow")
    path = folder / "router.log"
    assert b"two" in await started.stdout.readline()
    with path.open("a") as log:
        log.write("three\nhalf ")
    assert await started.stdout.readline() == b"three\n"
    path.rename(folder / "router.log.1")
    path.write_text("anew\n")
    assert await started.stdout.readline() == b"anew\n"
    started.terminate()
    await started.communicate()
