"""Typed errors that travel over the bus as envelopes and come out as the same type."""

from __future__ import annotations

from typing import Any, ClassVar


class SovereignError(Exception):
    """Base of every expected failure: a code, one clear line, and the field at fault if any.

    `retryable` says whether the same request may succeed later without a change by the caller.
    """

    code: ClassVar[str] = "internal"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(
        self, message: str, *, field: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.retry_after_s = retry_after_s
        self.host = ""
        """The host that failed, where one did; it does not travel."""

    def envelope(self) -> dict[str, Any]:
        """Return the wire form: `{"error": {code, message, field, retryable, retry_after_s}}`."""
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "field": self.field,
                "retryable": self.retryable,
                "retry_after_s": self.retry_after_s,
            }
        }


class InvalidInput(SovereignError):
    """The request is malformed; `field` names what is wrong. Sending it again cannot help."""

    code = "invalid_input"
    http_status = 422


class InvalidSetting(SovereignError):
    """A setting is wrong; the message names the variable."""

    code = "invalid_setting"


class NotFound(SovereignError):
    """What was asked for does not exist."""

    code = "not_found"
    http_status = 404


class Conflict(SovereignError):
    """Somebody else wrote first; read again and decide again."""

    code = "conflict"
    http_status = 409


class StaleWriter(Conflict):
    """The writer decided on a state that is not the last one any more: read on from there."""

    code = "stale_writer"


class Refused(SovereignError):
    """Not allowed: a foreign host, a bad signature, a missing right."""

    code = "refused"
    http_status = 403


class NeedsModel(SovereignError):
    """Only a language model could answer this, and none is at hand."""

    code = "needs_model"
    http_status = 503
    retryable = True


class ModelMissing(SovereignError):
    """The engine runs but does not hold the model that was asked for."""

    code = "model_missing"
    http_status = 404


class InputTooLong(SovereignError):
    """The prompt does not fit the context; nothing was cut."""

    code = "input_too_long"
    http_status = 413


class OutputCut(SovereignError):
    """The model stopped at its length limit, or repeated itself until the engine gave it up."""

    code = "output_cut"
    http_status = 502


class OutputInvalid(SovereignError):
    """The model's answer does not meet the schema that was asked for."""

    code = "output_invalid"
    http_status = 502


class EngineFailed(SovereignError):
    """The engine crashed, or answered something that its protocol does not allow."""

    code = "engine_failed"
    http_status = 502
    retryable = True


class Busy(SovereignError):
    """No room now; `retry_after_s` tells when to come back."""

    code = "busy"
    http_status = 503
    retryable = True


class BudgetExceeded(SovereignError):
    """A budget would be overrun; nothing was asked of a model. `field` names the budget."""

    code = "budget_exceeded"
    http_status = 402


class Unavailable(SovereignError):
    """Nobody answers on that subject or address."""

    code = "unavailable"
    http_status = 503
    retryable = True


class TimedOut(SovereignError):
    """No answer within the deadline; whether the work was done is unknown."""

    code = "timed_out"
    http_status = 504
    retryable = True


class Cancelled(SovereignError):
    """The caller, or a person, took the request back."""

    code = "cancelled"
    http_status = 499


def _known(base: type[SovereignError]) -> dict[str, type[SovereignError]]:
    """Return code to class for every error of this module."""
    found = {base.code: base}
    for sub in base.__subclasses__():
        found |= _known(sub)
    return found


KINDS = _known(SovereignError)


def from_envelope(body: dict[str, Any]) -> SovereignError:
    """Return the typed error inside an envelope; an unknown code becomes `SovereignError`."""
    error = body.get("error") or {}
    kind = KINDS.get(str(error.get("code")), SovereignError)
    return kind(
        str(error.get("message", "the other side failed without a message")),
        field=error.get("field"),
        retry_after_s=error.get("retry_after_s"),
    )


def first_of(error: BaseException) -> BaseException:
    """Return the first plain error inside nested groups: the one that people want to read."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
