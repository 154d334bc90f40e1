"""Peers on the same instant model: five steps of nothing, in the environment of `PEERS_PYTHON`."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from benchmarks.table import show

PEERS = ("langgraph_sqlite", "crewai_chain", "celery_redis")
FOLDER = Path(__file__).parent / "peers"
LONGEST_S = 300


def run() -> None:
    """Print a row for each peer that is installed, and a line for each that is not."""
    python = os.environ.get("PEERS_PYTHON")
    if not python:
        print("\npeers: skipped; PEERS_PYTHON names no environment")
        return
    rows = []
    for name in PEERS:
        command = [python, str(FOLDER / f"{name}.py")]
        ended = subprocess.run(command, capture_output=True, timeout=LONGEST_S, check=False)
        if ended.returncode == 0:
            rows.append(json.loads(ended.stdout.decode().strip().splitlines()[-1]))
        else:
            last = ended.stderr.decode().strip().splitlines() or ["no word"]
            print(f"peer {name}: skipped; {last[-1][:150]}")
    if rows:
        show("agents_peers", "Peers, five steps of nothing a task, instant model", rows)
