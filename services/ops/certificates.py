"""When an X.509 certificate ends: read from its PEM file, without a library for it.

DER, RFC 5280: Certificate { tbs { [0] version?, serial, algorithm, issuer, validity { from, to } …
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

from shared.errors import InvalidInput

SEQUENCE, VERSION, UTC_TIME, GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18
LONG = 0x80
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def ends_at(file: Path) -> datetime:
    """Return the end of the first certificate in a PEM file; raise `InvalidInput` for others."""
    try:
        text = file.read_text(encoding="ascii", errors="replace")
        one = text[text.index(BEGIN) : text.index(END) + len(END)]
        return _end_of(ssl.PEM_cert_to_DER_cert(one))
    except OSError as error:
        raise InvalidInput(f"{file}: {error.strerror}", field="certificates") from None
    except (ValueError, IndexError):
        raise InvalidInput(f"{file}: no certificate in PEM", field="certificates") from None


def _end_of(der: bytes) -> datetime:
    _, certificate, _ = _element(der)
    _, rest, _ = _element(certificate)
    tag, _, after = _element(rest)
    rest = after if tag == VERSION else rest
    for _ in ("serial", "algorithm", "issuer"):
        _, _, rest = _element(rest)
    _, validity, _ = _element(rest)
    _, _, second = _element(validity)
    tag, text, _ = _element(second)
    return _instant(tag, text.decode("ascii"))


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Return tag, content and what follows of the first element."""
    tag, length, start = data[0], data[1], 2
    if length >= LONG:
        start = 2 + length - LONG
        length = int.from_bytes(data[2:start], "big")
    if start + length > len(data):
        raise ValueError("cut off")
    return tag, data[start : start + length], data[start + length :]


def _instant(tag: int, text: str) -> datetime:
    """Return an instant; two-digit years are 1950 to 2049 (RFC 5280, 4.1.2.5.1)."""
    if tag == UTC_TIME:
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    elif tag != GENERALIZED_TIME:
        raise ValueError("no time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
