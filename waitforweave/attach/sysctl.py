"""The few switches in /proc/sys/net that rtnetlink does not have, set for one interface."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from waitforweave.attach.backend import AttachError

# The namespace that a thread is in decides what /proc/sys/net shows it, wherever that /proc is
# mounted. Docker mounts a container's own read-only; the host's is not, and process 1 leads there.
SYSCTL_ROOTS = (Path("/proc/sys"), Path("/proc/1/root/proc/sys"))


def read_switch(path: str) -> str | None:
    """What /proc/sys/PATH says in the thread's namespace; None where there is no such switch."""
    for root in SYSCTL_ROOTS:
        with suppress(OSError):
            return (root / path).read_text().strip()
    return None


def ensure_switch(path: str, value: str) -> bool:
    """Set /proc/sys/PATH in the thread's namespace; False where it cannot be written."""
    for root in SYSCTL_ROOTS:
        with suppress(OSError):
            switch = root / path
            if switch.read_text().strip() != value:
                switch.write_text(value)
            return True
    return False


def allow_ipv6(name: str) -> None:
    """Docker switches IPv6 off in containers whose own network has none; rtnetlink cannot switch
    it on again. AttachError where nobody can."""
    path = f"net/ipv6/conf/{name}/disable_ipv6"
    if not ensure_switch(path, "0"):
        raise AttachError(f"IPv6 is off for {name}, and {SYSCTL_ROOTS[0] / path} cannot be written")
