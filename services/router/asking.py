"""Asks until the answer is whole: a retry after a crash, a repair of structure or of no call.

Each attempt is booked by itself, and a further one is reserved before it is made: where a budget
does not reach for it, the request ends with `budget_exceeded`, which names what would help.
"""

from __future__ import annotations

from dataclasses import replace

from services.router import prices, schema, tools
from services.router.budgets.bill import Bill, free
from services.router.engine import Answer, Engine, OnDelta
from shared.errors import EngineFailed, OutputCut, OutputInvalid
from shared.events import ChatMessage, ChatRequest


async def ask(
    engine: Engine, request: ChatRequest, on_delta: OnDelta | None, bill: Bill | None = None
) -> Answer:
    """Return a complete answer, structured if the request wants it; raise typed errors.

    A structured answer is told in one piece when it is known to be valid, so that the pieces
    always join to the answer.
    """
    bill = bill or free()
    if request.format is None and not tools.must_call(request):
        return await _whole(engine, request, on_delta, bill)
    if request.format is None:
        answer = await _calling(engine, request, bill)
    else:
        answer = await _structured(engine, request, request.format, bill)
    if on_delta is not None and answer.content:
        await on_delta(answer.content)
    return answer


async def _structured(
    engine: Engine, request: ChatRequest, wanted: schema.Format, bill: Bill
) -> Answer:
    asked = _instructed(request, wanted)
    first = await _whole(engine, asked, None, bill)
    try:
        return _with_data(first, wanted)
    except OutputInvalid as error:
        again = _repair(asked, first.content, error.message)
    await bill.again(again)
    second = await _whole(engine, again, None, bill)
    return _with_data(_summed(first, second), wanted)


async def _calling(engine: Engine, request: ChatRequest, bill: Bill) -> Answer:
    """Return an answer that calls a tool; engines without a way to force one are asked twice."""
    first = await _whole(engine, request, None, bill)
    if first.tool_calls:
        return first
    offered = ", ".join(tool["function"]["name"] for tool in tools.offered(request))
    words = f"Do not answer in words. Call one of these tools now: {offered}."
    again = _again(request, first.content, words)
    await bill.again(again)
    second = await _whole(engine, again, None, bill)
    if not second.tool_calls:
        raise OutputInvalid("the model called no tool, though it had to", field="tool_choice")
    return _summed(first, second)


async def _whole(
    engine: Engine, request: ChatRequest, on_delta: OnDelta | None, bill: Bill
) -> Answer:
    """Return an answer that was not cut, unless the caller set the limit that cut it."""
    answer = await _uncrashed(engine, request, on_delta, bill)
    bill.paid(answer)
    limited = request.options.max_tokens is not None and request.format is None
    if answer.done_reason == "length" and not limited:
        raise OutputCut(
            f"the answer was cut at {answer.completion_tokens} tokens;"
            " options.max_tokens or SOVEREIGN_ROUTER__MAX_TOKENS raises the limit",
            field="options.max_tokens",
        )
    return answer


async def _uncrashed(
    engine: Engine, request: ChatRequest, on_delta: OnDelta | None, bill: Bill
) -> Answer:
    """Ask once more after a crash, unless the caller has seen a part of the answer already."""
    told = False

    async def tell(delta: str) -> None:
        nonlocal told
        told = True
        if on_delta is not None:
            await on_delta(delta)

    try:
        return await engine.chat(request, tell if on_delta is not None else None)
    except EngineFailed:
        if told:
            raise
        bill.lost()
    await bill.again(request)
    return await engine.chat(request, on_delta)


def _instructed(request: ChatRequest, wanted: schema.Format) -> ChatRequest:
    """Append the schema's words to the last message, unless the caller has told it already."""
    if any(schema.is_told(message.content, wanted) for message in request.messages):
        return request
    last = request.messages[-1]
    content = f"{last.content}\n\n{schema.instruction(wanted)}"
    changed = last.model_copy(update={"content": content})
    return request.model_copy(update={"messages": (*request.messages[:-1], changed)})


def _repair(request: ChatRequest, content: str, fault: str) -> ChatRequest:
    words = f"That answer is not valid: {fault}. Answer again with the corrected JSON only."
    return _again(request, content, words)


def _again(request: ChatRequest, content: str, words: str) -> ChatRequest:
    """Return the request with what was said to it and what is wrong with that."""
    said = ChatMessage(role="assistant", content=content)
    turn = ChatMessage(role="user", content=words)
    return request.model_copy(update={"messages": (*request.messages, said, turn)})


def _with_data(answer: Answer, wanted: schema.Format) -> Answer:
    return replace(answer, data=schema.parse(answer.content, wanted))


def _summed(first: Answer, second: Answer) -> Answer:
    """Return the second answer with the tokens and the cost of both."""
    return replace(
        second,
        prompt_tokens=first.prompt_tokens + second.prompt_tokens,
        completion_tokens=first.completion_tokens + second.completion_tokens,
        cost_usd=prices.total((first.cost_usd, second.cost_usd)),
    )
