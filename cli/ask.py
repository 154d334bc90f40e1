"""`sovereign ask`: one question to the engine, its answer as it comes."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import Files, Json, Timeout


def ask(
    prompt: Annotated[str, typer.Argument(help="The question; `-` reads it from stdin.")],
    file: Files = None,
    model: Annotated[str, typer.Option("--model", "-m", help="A model or an alias.")] = "",
    system: Annotated[str, typer.Option(help="How to answer.")] = "",
    max_tokens: Annotated[int | None, typer.Option(min=1, help="The longest answer.")] = None,
    temperature: Annotated[
        float | None, typer.Option(min=0, max=2, help="0 is the same every time.")
    ] = None,
    timeout: Timeout = 300.0,
    as_json: Json = False,
) -> None:
    """Ask the engine; the answer streams to stdout, who answered is told on stderr."""
    from cli import asking

    options = {"max_tokens": max_tokens, "temperature": temperature}
    question = asking.build(prompt, file, system, options, {"model": model, "timeout_s": timeout})
    asking.ask(question, as_json)
