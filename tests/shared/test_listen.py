import pytest

from shared.listen import bound, is_address, is_loopback


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_this_host_alone_reaches_a_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "localhost.example.com", "", "x"])
def test_any_other_address_or_name_may_be_reached_by_others(host):
    assert not is_loopback(host)


def test_a_name_is_no_address():
    assert is_address("::1") and not is_address("localhost")


def test_a_port_that_is_listened_on_cannot_be_bound_again():
    with bound("127.0.0.1", 0) as first:
        first.listen()
        with pytest.raises(OSError, match="in use"):
            bound("127.0.0.1", first.getsockname()[1])
