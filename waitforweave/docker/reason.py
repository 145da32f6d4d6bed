"""Why a connection failed, in the words of who knows: the kernel, the resolver, OpenSSL."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterator

import httpx

# What Go's net/http, and our proxy, say to who speaks without TLS.
NEEDS_TLS = "Client sent an HTTP request to an HTTPS server"


def reason_of(error: OSError) -> str:
    """OpenSSL's words without its numbers: "certificate verify failed: ..."."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return error.strerror or str(error)


def reason_below(error: Exception) -> str:
    """The same of the error below: httpx' own says "All connection attempts failed"."""
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    for cause in below(error):
        if isinstance(cause, ssl.SSLError):
            return f"TLS: {reason_of(cause)}"
        if isinstance(cause, OSError) and cause.errno:
            # asyncio has other words for what the kernel said; the resolver's numbers are below 0.
            return os.strerror(cause.errno) if cause.errno > 0 else reason_of(cause)
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__


def below(error: BaseException | None) -> Iterator[BaseException]:
    """It and its causes; of several at once the first."""
    while error is not None:
        yield error
        several = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
        error = several[0] if several else error.__cause__ or error.__context__
