import json
import subprocess

import psutil

from services.ops import leftovers


def test_what_an_earlier_supervisor_left_is_ended(tmp_path):
    left = subprocess.Popen(["sleep", "600"])
    leftovers.note(tmp_path, [left.pid])
    assert leftovers.end_all(tmp_path) == 1
    left.wait(5)
    assert not psutil.pid_exists(left.pid)


def test_a_number_that_belongs_to_somebody_else_now_is_left_alone(tmp_path):
    other = subprocess.Popen(["sleep", "600"])
    note = {"supervisor": 1, "children": {str(other.pid): 12345.0}}
    (tmp_path / leftovers.NAME).write_text(json.dumps(note))
    assert leftovers.end_all(tmp_path) == 0
    assert other.poll() is None
    other.kill()
    other.wait()


def test_a_missing_or_broken_note_is_no_obstacle(tmp_path):
    assert leftovers.end_all(tmp_path) == 0
    (tmp_path / leftovers.NAME).write_text("{")
    assert leftovers.end_all(tmp_path) == 0
    leftovers.forget(tmp_path)
    leftovers.forget(tmp_path)
