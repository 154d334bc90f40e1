import orjson
import pytest

from cli.importing import rows, take, token
from shared.clock import now
from shared.errors import InvalidInput
from shared.events import (
    BillReply,
    LedgerExport,
    MatchList,
    MatchReport,
    OutcomesReply,
    PartyToken,
    PayoutReply,
    TokenReply,
)
from tests.cli.conftest import answer

CANDIDATES = """Candidate ID;Full Name;Key Skills;Hourly Rate;Languages;Resume
c 1;Ann Muster;Python, SQL / Go;80.50 EUR;de, en;Moved shops.
;;;;;
c3;Cem;nan;lots;;
"""
JOBS = "job_id,Job Title,Company Name,Skills,Description\nj1,Engineer,Acme & Co,python;sql,An API\n"
LABELS = "resume_id,company,label\nc1,acme,Good Fit\nc2,acme,No Fit\nc3,acme,perhaps\n,acme,1\n"


def file(tmp_path, text):
    (tmp_path / "data").write_text(text)
    return tmp_path / "data"


def taken(tmp_path, text, kind):
    return take(rows(file(tmp_path, text)), kind, "USD")


def test_profiles_are_read_from_the_columns_of_others(tmp_path):
    found = taken(tmp_path, CANDIDATES, "profile")
    ann, empty, cem = (one.profile for one in found.bodies)
    assert [skill.name for skill in ann.skills] == ["Python", "SQL", "Go"]
    assert (ann.rate.minor, ann.rate.currency, ann.languages) == (8050, "EUR", ("de", "en"))
    assert (ann.party_id, empty.party_id) == (token("c 1"), "p2")
    assert (cem.skills, cem.rate, cem.available) == ((), None, None)
    assert found.unknown == {"rate": 1}


def test_a_list_of_skills_rules_nobody_out(tmp_path):
    need = taken(tmp_path, JOBS, "need").bodies[0].need
    assert (need.required, need.nice, need.budget) == ((), ("python", "sql"), None)
    assert need.party_id.startswith("Acme-Co-")


def test_outcomes_that_tell_nothing_are_left_out(tmp_path):
    found = taken(tmp_path, LABELS, "outcome")
    assert [(one.provider_id, one.yes) for one in found.bodies] == [("c1", True), ("c2", False)]
    assert sum(found.left_out.values()) == 2


@pytest.mark.parametrize("text", ['[{"name": "Ann"}]', '{"name": "Ann"}\n{"name": "Bob"}'])
def test_json_and_json_lines_are_read(tmp_path, text):
    names = [one.profile.name for one in taken(tmp_path, text, "profile").bodies]
    assert names in (["Ann"], ["Ann", "Bob"])


def test_a_line_that_is_no_json_is_named(tmp_path):
    with pytest.raises(InvalidInput, match="line 2"):
        rows(file(tmp_path, '{"a": 1}\nnope'))


def test_ids_stay_apart_when_they_have_to_be_changed():
    assert len({token(text) for text in ("a b", "a-b", "a/b", "ä", "x" * 99)}) == 5


async def test_a_file_of_profiles_is_sent_and_counted(cli, bus, tmp_path):
    asked = await answer(bus, "match.add", MatchList())
    path = str(file(tmp_path, CANDIDATES))
    done = await cli("match", "import", path, "--as", "profile", "--json")
    assert orjson.loads(done.stdout)["added"] == len(asked) == 3


async def test_the_same_outcomes_have_the_same_key(cli, bus, tmp_path):
    asked = await answer(bus, "match.outcomes", OutcomesReply(counted=2))
    for _ in range(2):
        done = await cli("match", "outcomes", "import", str(file(tmp_path, LABELS)))
        assert "2 counted" in done.stdout
    assert asked[0]["key"] == asked[1]["key"]


async def test_a_token_is_printed_alone(cli, bus):
    one = PartyToken(token_id="t1", party_id="ann", side="client", issued_at=now())
    asked = await answer(bus, "match.token", TokenReply(token="secret", tokens=(one,)))
    assert (await cli("match", "token", "ann", "--side", "client")).stdout == "secret\n"
    assert (await cli("match", "token", "ann", "--revoke")).exit_code != 0
    await cli("match", "token", "ann", "--revoke", "--yes")
    assert [one["action"] for one in asked] == ["issue", "revoke"]


async def test_payouts_and_bills_carry_exact_amounts_and_keys(cli, bus):
    paid = await answer(bus, "match.payout", PayoutReply())
    billed = await answer(bus, "match.bill", BillReply())
    await cli("match", "payout", "start", "ann", "80.50 EUR", "--key", "k1")
    await cli("match", "payout", "settle", "k1")
    await cli("match", "bill", "charge", "acme", "500", "--stream", "white_label")
    assert (paid[0]["amount"], paid[0]["key"]) == ({"minor": 8050, "currency": "EUR"}, "k1")
    assert (paid[1]["action"], paid[1].get("key")) == ("settle", None)
    assert billed[0]["amount"]["minor"] == 50_000 and len(billed[0]["key"]) == 26


async def test_the_ledger_and_the_report_are_written_to_files(cli, bus, tmp_path):
    await answer(bus, "match.export", LedgerExport(format="csv", entries=1, text="a,b\n1,2\n"))
    await answer(bus, "match.report", MatchReport(month="2026-11", markdown="# Report\n"))
    await cli("match", "export", "--out", str(tmp_path / "ledger.csv"))
    assert (tmp_path / "ledger.csv").read_text() == "a,b\n1,2\n"
    assert (await cli("match", "report")).stdout == "# Report\n"
    told = await cli("match", "report", "--month", "2026-11", "--json")
    assert orjson.loads(told.stdout)["month"] == "2026-11"
