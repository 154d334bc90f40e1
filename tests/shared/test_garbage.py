"""What the collector leaves alone."""

from __future__ import annotations

import gc

from shared import garbage


def test_what_stands_already_is_not_looked_through_again() -> None:
    before = gc.get_threshold()
    try:
        garbage.ease()
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold()[0] == garbage.YOUNG
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
