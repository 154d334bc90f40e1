"""Requests as the crew's prompts make them."""

from shared.events.models import ChatMessage, ChatRequest


def ask(instruction="", task="", documents=(), inputs=(), **more):
    blocks = [f"<task>{task}</task>", f"<instruction>{instruction}</instruction>"]
    for step, text in inputs:
        blocks.append(f'<input step="{step}" agent="analyzer">{escaped(text)}</input>')
    for number, text in enumerate(documents):
        blocks.append(f'<document name="d{number}">{escaped(text)}</document>')
    return plain("\n".join(blocks), **more)


def plain(text, **more):
    return ChatRequest(messages=(ChatMessage(role="user", content=text),), **more)


def escaped(text):
    return text.replace("</", "<\\/")
