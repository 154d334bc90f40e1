"""A table on standard output and the same rows as JSON."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

RESULTS = Path("artifacts/bench")


def show(name: str, title: str, rows: list[dict[str, Any]]) -> None:
    """Print `rows` aligned under their keys and keep them in `artifacts/bench/NAME.json`."""
    heads = list(rows[0])
    cells = [heads, *([_text(row[head]) for head in heads] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(heads))]
    print(f"\n{title}")
    for number, line in enumerate(cells):
        print("  " + "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)))
        if number == 0:
            print("  " + "  ".join("-" * width for width in widths))
    RESULTS.mkdir(parents=True, exist_ok=True)
    document = {"title": title, "machine": platform.platform(), "rows": rows}
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=2, default=str) + "\n")


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def quantile(values: list[float], share: float) -> float:
    """Return the value below which `share` of the sorted values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
