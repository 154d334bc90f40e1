import json

import pytest


def rows(done):
    return {row["name"]: row for row in json.loads(done.stdout)}


def test_every_setting_tells_its_source(run, tmp_path, monkeypatch):
    (tmp_path / "sovereign.toml").write_text("[router]\nslots = 3\nmodel = 'qwen3:4b'\n")
    monkeypatch.setenv("SOVEREIGN_ROUTER__MODEL", "llama3.2:3b")
    found = rows(run("config", "show", "--json"))
    told = {name: (found[name]["value"], found[name]["source"]) for name in found}
    assert told["router.slots"] == (3, "file")
    assert told["router.model"] == ("llama3.2:3b", "environment")
    assert told["nats.port"] == (4222, "default")
    assert found["nats.port"]["variable"] == "SOVEREIGN_NATS__PORT"


def test_a_group_set_as_json_comes_from_the_environment(run, monkeypatch):
    monkeypatch.setenv("SOVEREIGN_ROUTER", '{"slots": 4}')
    assert rows(run("config", "show", "--json"))["router.slots"]["source"] == "environment"


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_secrets_never_leave(run, monkeypatch, arguments):
    monkeypatch.setenv("SOVEREIGN_ROUTER__OPENAI_API_KEY", "sk-1234abcd")
    monkeypatch.setenv("SOVEREIGN_NATS__URL", "nats://ann:hunter2@bus:4222")
    done = run("config", "show", *arguments)
    assert done.exit_code == 0
    assert "1234abcd" not in done.stdout + done.stderr
    assert "hunter2" not in done.stdout + done.stderr


def test_a_prefix_selects_and_an_unknown_one_fails(run):
    assert set(rows(run("config", "show", "nats.p", "--json"))) == {"nats.port"}
    assert run("config", "show", "nonsense").exit_code == 1


def test_truth_is_written_as_it_would_be_set(run):
    shown = run("config", "show").stdout
    assert "true" in shown
    assert "True" not in shown
