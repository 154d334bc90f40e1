import subprocess

import pytest

from services.ops import nats_conf
from services.ops.nats_server import binary
from shared.settings import NatsSettings, Settings


@pytest.mark.parametrize("auth", [True, False])
@pytest.mark.parametrize("name", ["plain", 'with "quotes" and ünï$code'])
def test_the_server_accepts_what_is_written(tmp_path, name, auth):
    folder = tmp_path / name
    folder.mkdir()
    settings = Settings(data_dir=folder, nats=NatsSettings(auth=auth))
    (folder / "nats.conf").write_text(nats_conf.render(settings, folder))
    checked = subprocess.run(
        [binary(), "-t", "-c", folder / "nats.conf"], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr


def test_what_is_acknowledged_is_on_disk_by_default(tmp_path):
    text = nats_conf.render(Settings(data_dir=tmp_path), tmp_path)
    assert "sync_interval: always" in text
    assert 'host: "127.0.0.1"' in text
