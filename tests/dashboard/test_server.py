import socket

import pytest

from services.dashboard.server import claim, refuse_public
from shared.errors import InvalidSetting
from shared.settings import DashboardSettings


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org", ""])
def test_a_public_address_is_refused_without_login(host):
    with pytest.raises(InvalidSetting, match="SOVEREIGN_DASHBOARD__HOST"):
        refuse_public(DashboardSettings(host=host), guarded=False)


@pytest.mark.parametrize("more", [{"hosts": ("a.example",)}, {"proxies": ("10.0.0.2",)}])
def test_another_name_or_a_proxy_makes_loopback_public(more):
    with pytest.raises(InvalidSetting, match="sovereign access add"):
        refuse_public(DashboardSettings(**more), guarded=False)


def test_a_login_in_clear_is_refused():
    with pytest.raises(InvalidSetting, match="SOVEREIGN_DASHBOARD__TLS_CERT"):
        refuse_public(DashboardSettings(host="0.0.0.0"), guarded=True)


def test_a_login_with_tls_or_behind_a_proxy_may_be_public():
    keys = {"tls_cert": "c.pem", "tls_key": "k.pem"}
    refuse_public(DashboardSettings(host="0.0.0.0", **keys), guarded=True)
    refuse_public(DashboardSettings(host="0.0.0.0", proxies=("10.0.0.2",)), guarded=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "localhost", "::1"])
def test_loopback_is_fine(host):
    refuse_public(DashboardSettings(host=host), guarded=False)


def test_a_taken_port_names_its_variable():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InvalidSetting, match=f"SOVEREIGN_DASHBOARD__PORT={port}"):
            claim(DashboardSettings(port=port))


@pytest.mark.parametrize("more", [{"tls_cert": "none.pem"}, {"tls_key": "none.pem"}])
def test_a_missing_certificate_names_its_variable(more, tmp_path):
    (tmp_path / "none.pem").touch()
    given = {name: tmp_path / value for name, value in more.items()}
    with pytest.raises(InvalidSetting, match="SOVEREIGN_DASHBOARD__TLS"):
        claim(DashboardSettings(**given))
    with pytest.raises(InvalidSetting, match="no such file"):
        claim(DashboardSettings(tls_cert=tmp_path / "c.pem", tls_key=tmp_path / "k.pem"))
