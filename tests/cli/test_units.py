import asyncio
import shutil
import subprocess

import pytest


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOVEREIGN_DASHBOARD__NAME", "100 % ours")
    monkeypatch.setenv("SOVEREIGN_ROUTER__OPENAI_API_KEY", "sk-secret")
    return tmp_path


async def test_one_unit_starts_and_watches_the_whole_host(cli):
    text = (await cli("units")).stdout
    assert "# sovereign.service\n" in text
    for line in ("Type=notify", "WatchdogSec=30", "Restart=always", "StartLimitBurst=5"):
        assert f"\n{line}\n" in text
    assert "sovereign up\n" in text


async def test_each_service_may_have_a_unit_of_its_own(cli, folder):
    done = await cli("units", "router", "agents", "--dir", str(folder), "--memory", "1G")
    assert "enable --now sovereign-router.service sovereign-agents.service" in done.stderr
    text = (folder / "sovereign-agents.service").read_text()
    assert "sovereign run agents\n" in text
    assert "MemoryMax=1G\n" in text


async def test_settings_come_along_and_secrets_do_not(cli):
    text = (await cli("units")).stdout
    assert 'Environment="SOVEREIGN_DASHBOARD__NAME=100 %% ours"' in text
    assert "sk-secret" not in text


async def test_an_unknown_service_is_wrong_usage(cli):
    assert (await cli("units", "rooter")).exit_code == 2


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
async def test_systemd_finds_nothing_wrong_with_them(cli, folder):
    await cli("units", "--dir", str(folder), "--user", "root")
    verify = ["systemd-analyze", "verify", "--man=no", str(folder / "sovereign.service")]
    done = await asyncio.to_thread(
        subprocess.run, verify, capture_output=True, text=True, timeout=60
    )
    told = [line for line in done.stderr.splitlines() if "sovereign" in line]
    assert [line for line in told if "not executable" not in line] == []
