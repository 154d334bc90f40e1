"""Which event loop the router runs on."""

from __future__ import annotations

import sys

import pytest

from services.router.loop import fastest


def test_the_router_runs_on_uvloop_where_it_is_installed() -> None:
    uvloop = pytest.importorskip("uvloop", reason="uvloop is not installed")
    assert fastest() is uvloop.new_event_loop


def test_without_uvloop_the_router_runs_on_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert fastest() is None
