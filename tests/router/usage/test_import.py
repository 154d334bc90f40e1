import base64
import gzip
import json
from decimal import Decimal

import pytest

from services.router.usage.importing import imported
from services.router.usage.summary import Home
from shared.errors import InvalidInput
from shared.events import UsageImport, UsageImported
from tests.router.conftest import ask, chat

OPENAI = {
    "object": "page",
    "data": [
        {"object": "bucket", "start_time": 1730419200, "end_time": 1730505600, "results": [
            {"object": "organization.usage.completions.result", "input_tokens": 100_000,
             "output_tokens": 10_000, "input_cached_tokens": 20_000, "num_model_requests": 200,
             "model": "gpt-4o"},
            {"object": "organization.usage.completions.result", "input_tokens": 1_000_000,
             "output_tokens": 5_000, "num_model_requests": 10, "model": "gpt-4o-mini"}]},
    ],
}  # fmt: skip
ANTHROPIC_CSV = (
    "usage_date_utc,model_version,api_key,usage_input_tokens_no_cache,"
    "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_read,usage_output_tokens\n"
    "2026-10-01,claude-sonnet-4-5,team,1000,200,300,50\n"
    "2026-10-02,claude-sonnet-4-5,team,a lot,0,0,1\n"
    "2026-10-03,claude-sonnet-4-5\n"
)
CCUSAGE = {
    "daily": [{
        "date": "2026-09-30", "inputTokens": 30, "outputTokens": 9, "totalCost": 9.5,
        "modelsUsed": ["a", "b"],
        "modelBreakdowns": [
            {"modelName": "claude-opus-x", "inputTokens": 10, "outputTokens": 4, "cost": 7.25,
             "cacheCreationTokens": 5, "cacheReadTokens": 85},
            {"modelName": "claude-haiku-x", "inputTokens": 20, "outputTokens": 5, "cost": 2.25},
        ],
    }],
    "totals": {"inputTokens": 30},
}  # fmt: skip
CODE_LOG = "\n".join(
    (
        json.dumps({"type": "summary", "summary": "x"}),
        json.dumps({"timestamp": "2026-10-05T10:00:00Z", "message": {
            "model": "claude-sonnet-4-5", "usage": {"input_tokens": 5, "output_tokens": 7,
            "cache_read_input_tokens": 100, "cache_creation_input_tokens": 30,
            "cache_creation": {"ephemeral_5m_input_tokens": 30}}}}),
        "{broken",
    )
)  # fmt: skip
GOOGLE_CSV = (
    "Service description,SKU description,Usage start date,Usage amount,Cost ($)\n"
    'Vertex AI,Gemini 1.5 Flash Text Input - Predictions,2026-08-01,"1,000",0.75\n'
    "Vertex AI,Imagen 3 image generation,2026-08-01,3,0.12\n"
)


def asked(content: object, name: str = "export") -> UsageImport:
    text = content if isinstance(content, str) else json.dumps(content)
    packed = base64.b64encode(gzip.compress(text.encode())).decode()
    return UsageImport(name=name, data=packed)


def told(content: object, home: Home | None = None) -> UsageImported:
    return imported(asked(content), home or Home())


def test_openai_pages_are_priced_by_the_table_and_sorted_by_work():
    found = told(OPENAI)
    kinds = {kind.kind: kind for kind in found.kinds}
    assert set(kinds) == {"short questions", "long documents"}
    short = kinds["short questions"]
    assert (short.requests, short.prompt_tokens, short.cached_tokens) == (200, 100_000, 20_000)
    assert short.paid_usd == Decimal("0.35")
    assert found.saved_usd == found.paid_usd == Decimal("0.35") + Decimal("0.153")
    assert found.since == "2024-11-01"


def test_anthropic_tables_say_which_lines_were_left_out():
    found = told(ANTHROPIC_CSV)
    assert (found.entries, found.rejected) == (1, 2)
    assert found.kinds[0].prompt_tokens == 1500
    assert [(fault.line, fault.why[:20]) for fault in found.faults] == [
        (3, "usage_input_tokens_n"),
        (4, "cannot be read"),
    ]


def test_ccusage_breakdowns_keep_their_costs_and_are_not_counted_twice():
    found = told(CCUSAGE)
    assert (found.entries, found.paid_usd, found.since) == (2, Decimal("9.5"), "2026-09-30")
    assert found.kinds[0].prompt_tokens == 120
    assert found.unknown_models == ()


def test_logs_of_lines_are_read_line_by_line():
    found = told(CODE_LOG)
    assert (found.entries, [fault.line for fault in found.faults]) == (1, [1, 3])
    kind = found.kinds[0]
    assert (kind.prompt_tokens, kind.cached_tokens, kind.completion_tokens) == (135, 100, 7)


def test_googles_bill_has_costs_and_work_that_cannot_move():
    found = told(GOOGLE_CSV)
    kinds = {kind.kind: kind for kind in found.kinds}
    assert kinds["chat (sizes unknown)"].paid_usd == Decimal("0.75")
    assert found.rejected == 1


def test_a_comma_that_may_be_a_decimal_one_is_no_amount():
    head = "model,input_tokens,cost\n"
    with pytest.raises(InvalidInput, match="cost is no amount: '0,75'"):
        told(f'{head}m,5,"0,75"\n')
    found = told(f'{head}m,"1,000","$1,234.50"\n')
    assert (found.paid_usd, found.kinds[0].prompt_tokens) == (Decimal("1234.50"), 1000)


@pytest.mark.parametrize("cells", ["Cost (€)\n{}0.75", "cost,currency\n{}0.75,EUR"])
def test_another_currency_is_never_taken_for_dollars(cells):
    with pytest.raises(InvalidInput, match="not in US dollars"):
        told("model," + cells.format("m,"))
    found = told("model,input_tokens," + cells.format("gpt-4o,100,"))
    assert found.paid_usd == Decimal("0.00025")


def test_a_call_that_is_told_again_counts_once():
    line = {"requestId": "r1", "message": {"id": "m1", "model": "m", "usage": {"input_tokens": 5}}}
    found = told("\n".join(map(json.dumps, (line, line, line | {"requestId": "r2"}))))
    assert (found.entries, found.repeated, found.kinds[0].prompt_tokens) == (2, 1, 10)


def test_a_file_in_utf_16_is_read():
    packed = base64.b64encode(gzip.compress("model,cost\nm,2\n".encode("utf-16"))).decode()
    assert imported(UsageImport(data=packed), Home()).paid_usd == 2


def test_an_unknown_price_stays_unknown_and_so_does_the_sum():
    found = told([{"model": "nobody-knows", "input_tokens": 5, "output_tokens": 5}])
    assert (found.paid_usd, found.saved_usd) == (None, None)
    assert found.unknown_models == ("nobody-knows",)


def test_images_do_not_move():
    found = told([{"model": "dall-e-3", "requests": 3, "cost": 1.5, "operation": "image"}])
    kind = found.kinds[0]
    assert (kind.movable, kind.saved_usd, found.saved_usd) == (False, None, 0)


def test_home_costs_its_energy_and_its_time_at_the_measured_speed():
    home = Home(prompt_s=0.001, completion_s=0.1, usd_per_s=Decimal("0.0001"))
    kind = told(OPENAI, home).kinds[0]
    seconds = 100_000 * 0.001 + 10_000 * 0.1
    assert kind.local_hours == pytest.approx(seconds / 3600, abs=0.001)
    assert kind.saved_usd == kind.paid_usd - Decimal("0.0001") * Decimal(str(seconds))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "empty"),
        ("just some words", "no columns"),
        ("a,b\n1,2\n", "line 2: no model"),
        ('{"hello": "world"}', "line 1: no model"),
        ('[{"model": "m"}]', "neither tokens nor a cost"),
        ('[{"model": "m", "input_tokens": -5}]', "no count"),
        ('[{"model": "m", "input_tokens": 1e400}]', "no usage"),
        ('[{"model": "m", "cost": "NaN"}]', "no amount"),
        ('[{"model": "m", "input_tokens": true}]', "no"),
        ('model,cost\n"unclosed,1', "line"),
        ("[[[1]]]", "cannot be read"),
    ],
)
def test_rubbish_is_named(content, why):
    with pytest.raises(InvalidInput, match=why) as caught:
        told(content)
    assert caught.value.field == "data"


def test_what_is_no_gzip_or_no_text_or_too_much_is_refused(monkeypatch):
    for raw in (b"plain", gzip.compress(b"\xff\xfe\x00")):
        with pytest.raises(InvalidInput):
            imported(UsageImport(data=base64.b64encode(raw).decode()), Home())
    monkeypatch.setattr("services.router.usage.reading.MOST_BYTES", 10)
    with pytest.raises(InvalidInput, match="larger"):
        told("x" * 1000)


async def test_the_router_answers_with_its_own_speed(bus, router):
    async with router():
        await chat(bus, ask("measure me"))
        found = await bus.request("model.import", asked(OPENAI, "usage.json"), UsageImported)
    assert found.source == "usage.json"
    assert all(kind.local_hours is not None for kind in found.kinds)
