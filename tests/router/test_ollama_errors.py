"""Ollama's words and status codes, told apart."""

import pytest

from services.router.ollama.errors import from_status

CASES = [
    (500, "invalid JSON schema in format", "invalid_input", "format"),
    (400, "Failed to initialize samplers: failed to parse grammar", "invalid_input", "format"),
    (500, 'option "num_ctx" must be of type integer', "invalid_input", "options"),
    (500, "Failed to create new sequence: no input provided", "invalid_input", "messages"),
    (400, "invalid model name", "invalid_input", "model"),
    (400, "illegal base64 data at input byte 0", "invalid_input", "messages.images"),
    (500, "error starting runner: libggml.so: not found", "engine_failed", None),
    (500, "model 'x' not found", "model_missing", "model"),
    (500, "pull model manifest: file does not exist", "model_missing", "model"),
    (400, "the input length exceeds the context length", "input_too_long", "messages"),
    (500, "model runner has unexpectedly stopped", "engine_failed", None),
]


@pytest.mark.parametrize(("status", "words", "code", "field"), CASES)
def test_each_refusal_has_its_type_and_its_field(status, words, code, field):
    error = from_status(status, words)
    assert (error.code, error.field) == (code, field)
