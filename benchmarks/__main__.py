"""`python -m benchmarks [NAME…]` runs all benchmarks, or the named ones."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
import sys

import benchmarks

NOT_BENCHMARKS = {
    "__main__", "agents_peers", "aims", "cores", "grading", "instant_ollama", "measuring",
    "router_memory", "router_peers", "router_place", "router_quick", "router_streams", "table",
}  # fmt: skip
"""Parts of others, and what only repeats a part of another; those that run, run by their names."""


def main() -> None:
    """Run every module of this package that has a `run`, in order of its name."""
    names = sys.argv[1:] or sorted(
        found.name for found in pkgutil.iter_modules(benchmarks.__path__)
        if found.name not in NOT_BENCHMARKS
    )  # fmt: skip
    for name in names:
        run = importlib.import_module(f"benchmarks.{name}").run
        if inspect.iscoroutinefunction(run):
            asyncio.run(run())
        else:
            run()


if __name__ == "__main__":
    main()
