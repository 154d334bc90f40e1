"""Errors of the door itself; those of the router come from `shared.errors`."""

from __future__ import annotations

from shared.errors import SovereignError


class Unauthorized(SovereignError):
    """No key, or none that is known."""

    code = "invalid_api_key"
    http_status = 401

    def __init__(self) -> None:
        super().__init__("this door wants an API key that it knows", field="Authorization")


class Foreign(SovereignError):
    """The request comes from a page of another site, or through a name that is not ours."""

    code = "foreign_origin"
    http_status = 403


class Unknown(SovereignError):
    """No such path."""

    code = "unknown_url"
    http_status = 404

    def __init__(self, method: str, path: str) -> None:
        super().__init__(f"there is no {method} {path[:200]} at this door")


class WrongMethod(SovereignError):
    """The path is known, the method is another."""

    code = "method_not_allowed"
    http_status = 405

    def __init__(self, method: str, path: str) -> None:
        super().__init__(f"{path[:200]} does not take {method}")


class TooLarge(SovereignError):
    """The body is larger than the door takes."""

    code = "request_too_large"
    http_status = 413

    def __init__(self, limit: int) -> None:
        line = f"the request is larger than {limit} bytes; SOVEREIGN_ROUTER__DOOR_MAX_BYTES"
        super().__init__(f"{line} sets that limit")


class TooMany(SovereignError):
    """The key has asked more often than it may."""

    code = "rate_limit_exceeded"
    http_status = 429
    retryable = True

    def __init__(self, rate: int, retry_after_s: float) -> None:
        line = f"more than {rate} requests a minute with this key"
        super().__init__(line, retry_after_s=retry_after_s)
