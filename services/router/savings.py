"""What local answers saved against a named cloud model: a counterfactual, with its parts shown."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from decimal import Decimal

from services.router.accounts import Accounts
from services.router.embedding.booking import Booking
from services.router.record import Record, dollars
from shared.events import EmbedSavings, Savings

TOTALS = """
    SELECT TOTAL(good * calls) AS calls,
           TOTAL(good * is_llm * calls) AS llm_calls,
           TOTAL(good * (NOT is_llm) * calls) AS offline_calls,
           TOTAL(good * (cache IN ('hit', 'coalesced')) * calls) AS cache_hits,
           TOTAL(good * is_llm * prompt_tokens) AS prompt_tokens,
           TOTAL(good * is_llm * completion_tokens) AS completion_tokens,
           SUM(CASE WHEN is_llm THEN cost_pico END) AS cost_pico,
           TOTAL(good * is_llm * unpriced) AS unpriced,
           MIN(CASE WHEN good THEN at END) AS since
      FROM (SELECT *, error IS NULL AS good FROM history) WHERE kind = 'chat'
"""
EMBEDDED = """
    SELECT TOTAL(good * is_llm * (cache IN ('off', 'miss')) * calls) AS calls,
           TOTAL(good * texts) AS texts,
           TOTAL(good * (cache IN ('hit', 'coalesced')) * texts) AS kept_texts,
           TOTAL(good * prompt_tokens) AS prompt_tokens,
           SUM(cost_pico) AS cost_pico, TOTAL(good * unpriced) AS unpriced,
           MIN(CASE WHEN good THEN at END) AS since
      FROM (SELECT *, error IS NULL AS good FROM history) WHERE kind = 'embed'
"""
METHOD = (
    "The reference model's price for the same tokens, less what the calls cost, failed ones of"
    " clouds included. Local calls cost their energy if its price and the host's watts are set,"
    " else 0; answers by rule count nothing; answers from the cache count."
)


async def savings(record: Record, accounts: Accounts, booking: Booking | None = None) -> Savings:
    """Return the savings of all successful calls on this router's record.

    saved = price(prompt) x prompt tokens + price(completion) x completion tokens - cost, with
    what was booked for calls that failed; null when the reference price, or the cost of any call,
    is unknown. `booking` knows the reference of embeddings.
    """
    row, embedded = (await record.rows(TOTALS))[0], (await record.rows(EMBEDDED))[0]
    prompt, completion = int(row["prompt_tokens"]), int(row["completion_tokens"])
    price = accounts.price
    reference = price.of(prompt, completion) if price else None
    cost = _paid(row)
    return Savings(
        reference_model=accounts.reference,
        calls=int(row["calls"]),
        llm_calls=int(row["llm_calls"]),
        offline_calls=int(row["offline_calls"]),
        cache_hits=int(row["cache_hits"]),
        prompt_tokens=prompt,
        completion_tokens=completion,
        reference_usd=reference,
        cost_usd=cost,
        saved_usd=_difference(reference, cost),
        since=_earlier(row["since"], embedded["since"]),
        prices={"prompt": str(price.prompt), "completion": str(price.completion)} if price else {},
        embeddings=_embeddings(embedded, booking) if booking else EmbedSavings(),
        notice=METHOD if price else f"The price of {accounts.reference} is unknown. {METHOD}",
    )


def _embeddings(row: sqlite3.Row, booking: Booking) -> EmbedSavings:
    tokens, price = int(row["prompt_tokens"]), booking.price
    reference = price.of(tokens, 0) if price else None
    cost = _paid(row)
    return EmbedSavings(
        reference_model=booking.reference,
        calls=int(row["calls"]),
        texts=int(row["texts"]),
        kept_texts=int(row["kept_texts"]),
        prompt_tokens=tokens,
        reference_usd=reference,
        cost_usd=cost,
        saved_usd=_difference(reference, cost),
        prices={"prompt": str(price.prompt)} if price else {},
    )


def _paid(row: sqlite3.Row) -> Decimal | None:
    return None if row["unpriced"] else dollars(row["cost_pico"] or 0)


def _earlier(*instants: str | None) -> datetime | None:
    known = [datetime.fromisoformat(at) for at in instants if at]
    return min(known, default=None)


def _difference(reference: Decimal | None, cost: Decimal | None) -> Decimal | None:
    return None if reference is None or cost is None else reference - cost
