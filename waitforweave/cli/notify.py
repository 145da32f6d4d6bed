"""Tell whoever started us that we are ready: sd_notify(3), for systemd and for `launch`."""

from __future__ import annotations

import os
import socket


def notify_ready() -> None:
    """Send READY=1 to the datagram socket that NOTIFY_SOCKET names ("@": abstract), if it does.

    Nobody there is no error: we are ready all the same (sd_notify(3) says so too).
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        try:
            sender.sendto(b"READY=1", address)
        except OSError:
            return
