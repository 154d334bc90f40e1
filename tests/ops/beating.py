"""Beats for tests."""

from shared.events import Beat


def beat(service: str = "match", **fields) -> Beat:
    given = {
        "service": service, "instance": f"{service}-1", "host": "here", "boot": "b1", "pid": 7,
        "seq": 1, "state": "ready", "supervised": True,
    }  # fmt: skip
    return Beat.model_validate(given | fields)


def supervisor(**children) -> Beat:
    """A supervisor's beat; each child is a dict of state and pid."""
    return beat("supervisor", supervised=False, info={"children": children})
