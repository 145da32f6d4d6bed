"""The words of who knows why a connection failed, below those of httpx."""

from __future__ import annotations

import errno
import socket
import ssl

import httpx
import pytest

from waitforweave.docker.reason import reason_below

REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('::1', 1)")

NO_TLS = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)")
NO_TLS.reason = "WRONG_VERSION_NUMBER"


def over(cause: BaseException | None, said: str = "All connection attempts failed") -> Exception:
    error = httpx.ConnectError(said)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (over(REFUSED), "Connection refused"),
        (over(BaseExceptionGroup("both families", [REFUSED, OSError()])), "Connection refused"),
        (over(socket.gaierror(socket.EAI_NONAME, "Name or service not known")),
         "Name or service not known"),
        (over(NO_TLS), "TLS: wrong version number"),
        (httpx.ReadTimeout(""), "no answer in time"),
        (over(None, "[Errno 2] No such file or directory"), "No such file or directory"),
        (over(None, ""), "ConnectError"),
    ],
)  # fmt: skip
def test_it_is_told_without_numbers_and_names_of_libraries(error, said):
    assert reason_below(error) == said
