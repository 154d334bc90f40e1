from shared.memory_cap import cap_bytes


def group(tmp_path, own: str, **limits: str):
    """A tree of control groups; `limits` are group name (`_` is the root) to `memory.max`."""
    for name, limit in limits.items():
        folder = tmp_path if name == "_" else tmp_path / name.replace("_", "/")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "memory.max").write_text(limit + "\n")
    membership = tmp_path / "cgroup"
    membership.write_text(f"0::/{own}\n")
    return {"root": tmp_path, "membership": membership}


def test_the_setting_comes_first(tmp_path):
    assert cap_bytes(256, **group(tmp_path, "a", a="1000")) == 256 * 1024**2


def test_the_lowest_limit_of_the_own_groups_holds(tmp_path):
    assert cap_bytes(None, **group(tmp_path, "a/b", a="1000", a_b="max")) == 1000


def test_version_one_is_read_too_and_its_no_limit_is_none(tmp_path):
    files = group(tmp_path, "a")
    (tmp_path / "memory").mkdir()
    limit = tmp_path / "memory" / "memory.limit_in_bytes"
    limit.write_text("5000")
    assert cap_bytes(None, **files) == 5000
    limit.write_text(str(9223372036854771712))
    assert cap_bytes(None, **files) == 0


def test_without_groups_there_is_no_cap(tmp_path):
    assert cap_bytes(None, tmp_path, tmp_path / "nothing") == 0
