"""One running system for the tests that only use it; those that break it start their own."""

from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.system import System

NOTES = """# Weekly notes

## Done
- Moved the website to the new server

## Pending items

### High priority
1. **Renew the TLS certificate** before Friday
   - Needs the password of the registrar
2. **Restore test of the backup**, never done so far

### Low priority
3. **Tidy up the wiki**

## Remarks
The old server is still running and costs 40 EUR a month.
"""
QUESTION = "What is still pending, in which order should it be done, and what are the risks?"
PENDING = ("Renew the TLS certificate", "Restore test of the backup", "Tidy up the wiki")
HANDOFF = Path(__file__).parents[3] / "shared" / "data" / "handoff-2025-11-15.md"
HANDOFF_PENDING = (
    "Deploy Sovereign Dashboard",
    "Execute Optimization Strategy",
    "Test All Systems End-to-End",
    "Set Up Revenue Tracking",
    "Create Automation Scripts",
    "Session Unification Integration",
)


@pytest.fixture
async def fresh(tmp_path):
    """A system that a test may break; not started yet."""
    system = System(tmp_path)
    yield system
    await system.kill_all()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory):
    """A running system on the offline engine, shared by the tests of one file."""
    running = System(tmp_path_factory.mktemp("system"))
    await running.start()
    yield running
    await running.stop()
    await running.kill_all()
