"""How much memory this process may use: the setting, else the control group's limit."""

from __future__ import annotations

from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
UNLIMITED = 1 << 60
"""Version 1 writes a number near 2^63 when there is no limit."""


def cap_bytes(setting_mb: int | None, root: Path = CGROUP, membership: Path = MEMBERSHIP) -> int:
    """Return the cap in bytes, 0 when there is none."""
    if setting_mb:
        return setting_mb * 1024**2
    found = [limit for file in _files(root, membership) if (limit := _limit(file))]
    return min(found, default=0)


def _files(root: Path, membership: Path) -> list[Path]:
    """Return where a limit may stand: the own group and those above it, then version 1."""
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    own = next((line.partition("::")[2] for line in lines if line.startswith("0::")), "/")
    group = root / own.strip("/")
    groups = [group, *(one for one in group.parents if one.is_relative_to(root))]
    return [*(one / "memory.max" for one in groups), root / "memory" / "memory.limit_in_bytes"]


def _limit(file: Path) -> int:
    try:
        text = file.read_text(encoding="utf-8").strip()
    except OSError:
        return 0
    return int(text) if text.isdigit() and int(text) < UNLIMITED else 0
