import sys

import pytest

from cli.attachments import File, inline, read, too_large
from shared.errors import InvalidInput
from shared.events.tasks import INLINE_LIMIT


def text(name, size):
    return File(name, b"x" * size, "text/plain")


def test_text_is_text_and_the_rest_is_base64():
    assert inline(File("a", "grün".encode(), "text/plain")).text == "grün"
    assert inline(File("a", b"\xff", "x/y")).base64 == "/w=="
    assert inline(File("a", b"a\0b", "x/y")).base64 is not None


def test_the_kind_of_a_file_comes_from_its_name_or_its_bytes(tmp_path):
    for name, data in (("a.json", b"{}"), ("b", b"hello"), ("c", b"\xff")):
        (tmp_path / name).write_bytes(data)
    kinds = [read(tmp_path / name).media_type for name in ["a.json", "b", "c"]]
    assert kinds == ["application/json", "text/plain", "application/octet-stream"]


def test_small_files_fit():
    assert too_large([text("a", 10), text("b", 20)], 10_000) == []


def test_a_file_over_the_limit_goes_outside():
    big = text("big", INLINE_LIMIT + 1)
    assert too_large([text("a", 10), big], 10_000_000) == [big]


def test_the_largest_go_outside_until_the_rest_fits():
    files = [text("a", 300), text("b", 9000), text("c", 500)]
    assert too_large(files, 2000) == [files[1]]


def test_equal_files_are_counted_each():
    files = [text("same", 900), text("same", 900)]
    assert len(too_large(files, 1200)) == 1


def test_escapes_count_as_they_travel():
    escaped = File("e", b"\x01" * 1000, "text/plain")
    assert too_large([escaped], 3000) == [escaped]


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="--file"):
        read(tmp_path)


def test_a_name_that_is_no_file_name_is_refused():
    with pytest.raises(InvalidInput, match="name"):
        inline(File("a/b", b"x", "text/plain"))


@pytest.mark.skipif(sys.platform == "win32", reason="no such names")
def test_a_name_with_a_control_character_is_refused(tmp_path):
    path = tmp_path / "a\x1bb"
    path.write_text("x")
    with pytest.raises(InvalidInput, match="name"):
        inline(read(path))
