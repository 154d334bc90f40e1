import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sessions.importing.document import understand
from shared.errors import InvalidInput

HANDOFF = """# üåê Session Handoff - 2030-01-02

## Quick Summary
Everything runs. **Status:** half way

## ‚úÖ What Was Accomplished
### 1. **Local models** ‚úÖ
- Moved the router

## Current System State
### Services Running
- **ROUTER:** Port 8402, Healthy ‚úÖ
### Cache
- **Hit rate:** 3% (new)

## Pending Items
### High Priority
**1. Deploy the page**
- Run the script
- **Owner:** ann
### Medium Priority
**2. Track revenue**
### Low Priority
- [x] Write the guide
- [ ] Translate the guide

## Key Decisions Made
### Decision 1: Stay local
**What:** One model on one host
**Why:** Cost
**Impact:** No bill
**Status:** ‚úÖ Implemented

## Key Learnings & Insights
### Technical
1. **Caching matters**
   - 300x on hits

## Key Commands
### Check
```bash
curl http://192.0.2.1/health
```

## Important File Locations
```
/srv/app/main.py - Entry
```

## Metrics & Progress
### Score: 65% ‚Üí 95%
**Achieved (65%):**
- ‚úÖ Own server
### Savings
- **Before:** $250/month

## The Weather
It rained.
"""


def mangled(text: str) -> str:
    return text.replace("# üåê", "# \uf8ffüåê")


@pytest.fixture(scope="module")
def understood():
    return understand(mangled(HANDOFF), "h.md")


def drafts(understood, kind):
    return [draft for draft in understood.read.drafts if draft.kind == kind]


def test_the_session_opens_with_its_title_and_goal(understood):
    opened = drafts(understood, "session.opened")[0]
    assert opened.title == "Session Handoff - 2030-01-02"
    assert opened.data["goal"].startswith("Everything runs.")


def test_pending_items_keep_their_priority_owner_and_details(understood):
    found = [(d.title, d.data) for d in drafts(understood, "pending.add")]
    assert found == [
        ("Deploy the page", {"priority": "high", "owner": "ann"}),
        ("Track revenue", {"priority": "normal"}),
        ("Translate the guide", {"priority": "low"}),
    ]
    assert drafts(understood, "pending.add")[0].body == "- Run the script"


def test_a_ticked_item_is_not_open(understood):
    titles = [d.title for d in understood.read.drafts if "accomplished" in d.tags]
    assert titles == ["Local models", "Write the guide"]


def test_decisions_have_what_why_impact_and_status(understood):
    decision = drafts(understood, "decision")[0]
    assert decision.title == "Stay local"
    assert decision.data == {
        "what": "One model on one host", "why": "Cost", "impact": "No bill",
        "status": "Implemented",
    }  # fmt: skip


def test_learnings_keep_their_details(understood):
    learning = drafts(understood, "learning")[0]
    assert (learning.title, learning.body) == ("Caching matters", "- 300x on hits")


def test_services_have_ports_and_other_values_stay_text(understood):
    values = {d.title: d.data["value"] for d in drafts(understood, "state.set")}
    assert values["service.ROUTER"] == {"port": 8402, "status": "Healthy"}
    assert values["Cache.Hit rate"] == "3% (new)"


def test_metrics_are_values_and_lists(understood):
    values = {d.title: d.data["value"] for d in drafts(understood, "state.set")}
    assert values["metric.Score"] == "65% → 95%"
    assert values["metric.Score.Achieved (65%)"] == ["Own server"]
    assert values["metric.Savings.Before"] == "$250/month"


def test_commands_and_files_are_found(understood):
    commands = [d.body for d in understood.read.drafts if "command" in d.tags]
    assert commands == ["curl http://192.0.2.1/health"]
    artifact = drafts(understood, "artifact")[0]
    assert (artifact.title, artifact.data["uri"]) == ("Entry", "/srv/app/main.py")


def test_what_is_not_understood_is_kept_and_told(understood):
    assert [d.body for d in understood.read.drafts if d.title == "The Weather"] == ["It rained."]
    assert [(m.line, m.text) for m in understood.read.unknown] == [(57, "The Weather")]


@pytest.mark.parametrize("text", ["", " \n\t", "\x00\x01\x02" * 50, "PNG\x1a\x00\x00\x00" * 9])
def test_what_is_no_document_is_refused(text):
    with pytest.raises(InvalidInput) as raised:
        understand(text, "x.md")
    assert raised.value.field == "text"


@given(st.text(alphabet="#*-`[]x:1. \nabc", max_size=300))
def test_no_text_breaks_the_reader_and_no_word_is_lost(text):
    if not text.strip():
        return
    read = understand(text, "x.md").read
    kept = " ".join(f"{d.title} {d.body} {d.data}" for d in read.drafts)
    assert all(word in kept for word in text.replace("*", " ").split() if word in ("abc", "cab"))
