import pytest
from yarl import URL

from services.agents.tools.addresses import allowed, entry, parse, public
from services.agents.tools.tool import ToolRefused


@pytest.mark.parametrize(
    ("named", "url"),
    [
        ("example.com", "https://example.com/a?b=c"),
        ("example.com", "http://EXAMPLE.com:443/"),
        ("*.example.com", "https://docs.example.com/"),
        ("example.com:8080", "http://example.com:8080/"),
        ("[2001:db8::1]:80", "http://[2001:db8::1]/"),
    ],
)
def test_what_is_named_is_allowed(named, url):
    allowed(parse(url), [entry(named)])


@pytest.mark.parametrize(
    ("named", "url"),
    [
        ("example.com", "https://example.com.evil.org/"),
        ("example.com", "https://evil.org/example.com"),
        ("example.com", "https://example.com@evil.org/"),
        ("example.com", "https://me:secret@example.com/"),
        ("example.com", "http://example.com:22/"),
        ("example.com:8080", "http://example.com/"),
        ("*.example.com", "https://example.com/"),
        ("*.example.com", "https://notexample.com/"),
        ("*.0.0.1", "http://127.0.0.1/"),
        ("example.com", "file:///etc/passwd"),
        ("example.com", "ftp://example.com/"),
        ("127.0.0.1", "http://2130706433/"),
        ("127.0.0.1", "http://0x7f.1/"),
        ("example.com", "//example.com/"),
        ("example.com", "no address at all"),
        ("example.com", "https://evil.org\\@example.com/"),
        ("example.com", "https://example.com/\r\nHost: evil.org"),
    ],
)
def test_what_is_not_named_is_refused(named, url):
    with pytest.raises(ToolRefused) as caught:
        allowed(parse(url), [entry(named)])
    assert caught.value.field == "url"


def test_nothing_is_allowed_by_default():
    with pytest.raises(ToolRefused, match=r"agents\.fetch_allow"):
        allowed(URL("https://example.com"), [])


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_the_open_net_is_public(address):
    assert public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "fe80::1%eth0", "fd00::1",
        "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "::",
    ],
)  # fmt: skip
def test_addresses_inside_are_not_public_whatever_their_clothes(address):
    assert not public(address)
