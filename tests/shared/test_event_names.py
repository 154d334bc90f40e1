import subprocess
import sys
from pathlib import Path

import pytest

from shared import event_names, events

FOLDER = Path(events.__file__).parent


def test_the_list_of_bodies_is_what_the_files_hold():
    kept = (FOLDER / "__init__.py").read_text(encoding="utf-8")
    assert kept == event_names.text(FOLDER), "run `python -m shared.event_names`"


def test_every_name_can_be_had():
    assert all(getattr(events, name) is not None for name in events.__all__)


def test_a_name_that_nobody_gave_is_an_attribute_error():
    with pytest.raises(AttributeError, match="NoSuchBody"):
        _ = events.NoSuchBody


def test_one_body_does_not_bring_the_others():
    code = "import sys; from shared.events import Beat; print('shared.events.match' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
