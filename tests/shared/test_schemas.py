from pathlib import Path

import pytest

from shared import schemas

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def documents():
    return schemas.documents()


def test_the_generated_contract_is_up_to_date(documents):
    kept = {name: DOCS / name for name in documents}
    stale = [n for n, path in kept.items() if not path.exists() or path.read_text() != documents[n]]
    assert stale == [], "run `make docs`"


def test_no_schema_is_left_over(documents):
    kept = {path.name for path in (DOCS / "events").glob("*.json")}
    assert kept == {Path(name).name for name in documents if name.startswith("events/")}
