"""One step of many fails, once: for tests that go through all of them."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

REFUSED = NetlinkError(errno.EPERM, "injected")


class Faults:
    """The `number`-th step fails, once; `steps` says what was asked until then."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.steps: list[str] = []

    @property
    def struck(self) -> bool:
        return len(self.steps) >= self.number

    def step(self, name: str, error: Exception) -> None:
        before = self.struck
        self.steps.append(name)
        if self.struck and not before:
            raise error

    def wrap(
        self, name: str, work: Callable[..., Any], error: Exception, *, after: bool = False
    ) -> Callable[..., Any]:
        """`after`: it fails once more when it has done its work, as by a time-out."""

        def wrapped(*words: Any, **named: Any) -> Any:
            self.step(f"{name} {words}", error)
            done = work(*words, **named)
            if after:
                self.step(f"{name}-done {words}", error)
            return done

        return wrapped


class Faulty:
    """An IPRoute each of whose requests is a step."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.real = IPRoute()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.real.close()

    def close(self) -> None:
        self.real.close()

    def __getattr__(self, name: str) -> Any:
        return self.faults.wrap(name, getattr(self.real, name), REFUSED)
