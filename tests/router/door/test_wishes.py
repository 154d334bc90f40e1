"""What the headers of a request come to."""

from types import SimpleNamespace

from services.router.door.wishes import wishes


def wished(**headers: str) -> dict:
    told = {f"x-sovereign-{name}": text for name, text in headers.items()}
    return wishes(SimpleNamespace(header=lambda name: told.get(name, "")))


def test_without_headers_only_rules_are_kept_out():
    assert wished() == {"allow_offline": False}
    assert wished(offline="allow") == {"allow_offline": True}


def test_clouds_are_named_one_by_one():
    assert wished(clouds="mini, far,")["clouds"] == ("mini", "far")
    assert wished(task="t1", timeout="5") == {
        "task_id": "t1", "timeout_s": "5", "allow_offline": False,
    }  # fmt: skip
