import socket

import pytest

from services.ops import preflight
from shared.errors import InvalidSetting
from shared.settings import DashboardSettings, NatsSettings, Settings
from tests.conftest import free_port


def test_a_taken_dashboard_port_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        board = DashboardSettings(port=taken.getsockname()[1])
        settings = Settings(nats=NatsSettings(port=free_port()), dashboard=board)
        with pytest.raises(InvalidSetting, match="SOVEREIGN_DASHBOARD__PORT: cannot listen"):
            preflight.check_ports(settings, ["dashboard"])
        preflight.check_ports(settings, ["router"])


def test_the_embedded_server_is_for_loopback_alone():
    settings = Settings(nats=NatsSettings(host="0.0.0.0", port=free_port()))
    with pytest.raises(InvalidSetting, match="SOVEREIGN_NATS__HOST"):
        preflight.check_ports(settings, [])


async def test_a_url_where_nobody_answers_is_named():
    settings = Settings(nats=NatsSettings(url=f"nats://127.0.0.1:{free_port()}"))
    with pytest.raises(InvalidSetting, match=r"SOVEREIGN_NATS__URL: no server answers .* 0\.1 s"):
        await preflight.check_url(settings, wait_s=0.1)


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InvalidSetting, match=r"SOVEREIGN_DATA_DIR: .* cannot be written"):
        preflight.check_data_dir(tmp_path / "file" / "data")


def test_a_folder_has_one_supervisor(tmp_path):
    with (
        preflight.lock(tmp_path),
        pytest.raises(InvalidSetting, match="another supervisor already runs"),
    ):
        preflight.lock(tmp_path)
    preflight.lock(tmp_path).close()
