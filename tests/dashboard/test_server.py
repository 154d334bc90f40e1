import socket

import pytest

from services.dashboard.server import claim, refuse_public
from shared.errors import InvalidSetting
from shared.settings import DashboardSettings


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org", ""])
def test_a_public_address_is_refused_without_login(host):
    with pytest.raises(InvalidSetting, match="SOVEREIGN_DASHBOARD__HOST"):
        refuse_public(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "localhost", "::1"])
def test_loopback_is_fine(host):
    refuse_public(host)


def test_a_taken_port_names_its_variable():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InvalidSetting, match=f"SOVEREIGN_DASHBOARD__PORT={port}"):
            claim(DashboardSettings(port=port))
