import json
import time
import urllib.request

import pytest

from tests.containers.conftest import SERVICES, docker

pytestmark = [pytest.mark.containers, pytest.mark.timeout(2400)]

NOTES = """# Notes

## Pending

- Rotate the backup keys
- Write the restore guide
"""


def test_all_services_are_heard_on_the_bus(system):
    done = system.sovereign("status", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads(done.stdout)
    assert (seen["missing"], seen["engine"]["is_llm"]) == ([], False)


def test_a_task_goes_through_the_containers(system, tmp_path):
    (tmp_path / "notes.md").write_text(NOTES)
    done = system.sovereign(
        "task", "submit", "What is still pending?", "--file", str(tmp_path / "notes.md"),
        "--id", "first", "--timeout", "60",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Rotate the backup keys" in done.stdout


def test_the_dashboard_answers_on_loopback(system):
    url = f"http://127.0.0.1:{system.dashboard_port}/healthz"
    with urllib.request.urlopen(url, timeout=5) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_runs_as_root_or_may_write_its_image(system, service):
    found = system.container(service)
    assert found["Config"]["User"] == "sovereign"
    assert found["HostConfig"]["ReadonlyRootfs"] is True
    assert found["HostConfig"]["CapDrop"] == ["ALL"]


def test_every_published_port_is_bound_to_loopback(system):
    for service in ("nats", *SERVICES):
        ports = system.container(service)["HostConfig"]["PortBindings"] or {}
        assert all(b["HostIp"] == "127.0.0.1" for bound in ports.values() for b in bound)


def test_a_service_that_leaves_is_started_again(system):
    before = system.container("agents")
    code = "import os, signal; os.kill(1, signal.SIGTERM)"
    docker("exec", before["Id"], "python", "-c", code)
    end = time.monotonic() + 60
    while system.container("agents")["RestartCount"] == before["RestartCount"]:
        assert time.monotonic() < end, "the engine did not start it again"
        time.sleep(0.5)
    system.wait_healthy("agents")


def test_what_was_acknowledged_outlives_the_bus(system):
    system("kill", "nats")
    system("up", "--detach", "nats")
    system.wait_healthy("nats", *SERVICES)
    shown = system.sovereign("task", "show", "first", "--json")
    assert json.loads(shown.stdout)["result"]["state"] == "done"


def test_a_stop_is_a_drain_and_not_a_kill(system):
    system("stop", "--timeout", "20", *SERVICES)
    codes = {service: system.container(service)["State"]["ExitCode"] for service in SERVICES}
    assert codes == dict.fromkeys(SERVICES, 0)
