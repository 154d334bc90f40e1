from pathlib import Path

from shared.schemas import documents

DOCS = Path(__file__).parents[2] / "docs"


def test_the_generated_contract_is_up_to_date():
    stale = [name for name, text in documents().items() if (DOCS / name).read_text() != text]
    assert stale == [], "run `make docs`"


def test_no_schema_is_left_over():
    kept = {path.name for path in (DOCS / "events").glob("*.json")}
    assert kept == {Path(name).name for name in documents() if name.startswith("events/")}
