import socket

from shared.notify import ALIVE, READY, Notifier


def test_words_go_to_the_socket_that_was_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("notify.sock")
        monkeypatch.setenv("NOTIFY_SOCKET", "notify.sock")
        notifier = Notifier()
        notifier.tell(READY, "STATUS=x")
        notifier.tell(ALIVE)
        assert [manager.recv(100), manager.recv(100)] == [b"READY=1\nSTATUS=x", b"WATCHDOG=1"]


def test_without_a_socket_nothing_is_told(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Notifier().tell(READY)


def test_a_manager_that_is_gone_is_no_reason_to_stop(tmp_path):
    Notifier(str(tmp_path / "nobody")).tell(READY)
