"""Where netlink is refused, the gate looks every 50 ms, by ioctl and in /proc and /sys."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Callable

import pytest

from tests.netns.gate.sandbox import refuse_all_sockets, refuse_netlink
from tests.netns.gate.space import GATE, Gate, Space
from waitforweave.gate import ioctls


def start(
    space: Space,
    *command: str,
    sandbox: Callable[[], None] = refuse_netlink,
    **environ: str,
) -> Gate:
    env = {"WEAVE_CIDR": "10.2.1.5/24", **environ}
    return space.start(*GATE, *command, env=env, preexec_fn=sandbox)


def test_what_is_there_is_found(space: Space) -> None:
    space.attach("10.2.1.5/24")
    result = start(space, "echo", "ran").finish()
    assert (result.code, result.out, result.err) == (0, "ran\n", "")


def test_what_comes_is_found(space: Space) -> None:
    gate = start(space, "true")
    space.attach("10.2.1.5/24")
    assert gate.finish().code == 0


@pytest.mark.parametrize(
    "promise",
    [
        "10.2.1.5/24",
        "10.2.1.6/24",
        "10.2.1.9/30",
        "2001:db8::5/64",
        "10.2.1.5/24 10.2.1.6/24 2001:db8::5/64",
        "net:10.2.1.0/29",
        "net:2001:db8::/32",
        "",
    ],
)
def test_each_kind_of_promise(space: Space, promise: str) -> None:
    space.attach("10.2.1.5/24", "10.2.1.6/24", "10.2.1.9/30")
    space.ip("addr add 2001:db8::5/64 dev ethwe nodad", "addr add 10.2.9.1/24 dev far")
    assert start(space, "true", WEAVE_CIDR=promise).finish().code == 0


@pytest.mark.parametrize(
    ("lines", "promise", "message"),
    [
        ([], "10.2.1.5/24", "missing:  interface ethwe: not there (interfaces: lo)"),
        (["link add ethwe type veth peer name far", "addr add 10.2.1.5/24 dev ethwe"],
         "10.2.1.5/24", "missing:  interface ethwe: down, has 10.2.1.5/24"),
        (["link add ethwe type veth peer name far", "addr add 10.2.1.5/16 dev ethwe",
          "link set ethwe up"],
         "10.2.1.5/24", "missing:  interface ethwe: no carrier, has 10.2.1.5/16"),
    ],
)  # fmt: skip
def test_a_timeout_tells_what_was_found(
    space: Space, lines: list[str], promise: str, message: str
) -> None:
    space.ip(*lines)
    result = start(space, "true", WEAVE_CIDR=promise, WAIT_FOR_SECONDS="0.15").finish()
    assert result.code == 1
    first, second, *_ = result.err.splitlines()
    assert first == "wait-for-weave: not ready after 0.15 s:"
    assert second == f"wait-for-weave:   {message}"


@pytest.mark.parametrize(
    "options",
    [
        ["--interface", "eth*", "--state", "up"],
        ["--interface", "ethwe", "--route", "224.0.0.0/4"],
        ["--interface", "far", "--interface", "ethwe", "--any", "--route", "default"],
        ["--interface", "ethwe", "--route", "2001:db8:7::/48"],
        ["--interface", "*", "--count", "2", "--state", "carrier"],
    ],
    ids=" ".join,
)
def test_each_kind_of_option(space: Space, options: list[str]) -> None:
    gate = start(space, *options, "true", WEAVE_CIDR="none")
    space.attach("10.2.1.5/24")
    space.ip("addr add 2001:db8::5/64 dev ethwe nodad", "route add 224.0.0.0/4 dev ethwe")
    space.ip("route add default via 10.2.1.1", "-6 route add 2001:db8:7::/48 dev ethwe")
    assert gate.finish().code == 0


def test_without_proc_the_names_come_from_sys(space: Space) -> None:
    # In a mount namespace with a /sys of this network namespace, as a container has it.
    script = 'mount -t sysfs none /sys && mount -t tmpfs none /proc && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", script, "sh", *GATE]
    space.attach("10.2.1.5/24")
    result = space.start(
        *command, "--interface", "eth*", "echo", "ran", env={}, preexec_fn=refuse_netlink
    ).finish()
    assert (result.code, result.out) == (0, "ran\n")


def test_a_signal_ends_it(space: Space) -> None:
    gate = start(space, "sh", "-c", "echo ran")
    gate.handles(signal.SIGTERM)
    gate.send(signal.SIGTERM)
    assert gate.finish().code == 128 + signal.SIGTERM


def test_without_any_way_to_look_it_fails_and_says_why(space: Space) -> None:
    result = start(space, "true", sandbox=refuse_all_sockets).finish()
    assert result.code == 125
    assert result.err == (
        "wait-for-weave: no netlink ([Errno 13] Permission denied) and no ioctl "
        "([Errno 13] Permission denied)\n"
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"20010db8000000000000000000000005 02 40 00 80    ethwe", ("2001:db8::5/64", 2, 0, 0x80)),
        (b"20010db8000000000000000000000005 1f 40 00 c8    ethwe", ("2001:db8::5/64", 31, 0, 0xC8)),
        (b"fe800000000000000000000000000001 02 40 20 80    ethwe", ("fe80::1/64", 2, 253, 0x80)),
        (b"00000000000000000000000000000001 01 80 10 80       lo", ("::1/128", 1, 253, 0x80)),
    ],
)
def test_lines_of_if_inet6(line: bytes, expected: tuple[str, int, int, int]) -> None:
    (address,) = ioctls.decode_inet6(line + b"\n")
    assert (address.text, address.index, address.scope, address.flags) == expected


@pytest.mark.parametrize("more", [62, 63, 64, 1100])
def test_of_many_addresses_none_is_overlooked(space: Space, more: int) -> None:
    """As many as SIOCGIFCONF has room for at first, one less and one more; lo has one already."""
    lines = "".join(f"addr add 10.3.{n >> 8}.{n & 255}/16 dev ethwe\n" for n in range(1, more))
    space.attach()
    batch = space.enter("ip", "-batch", "-")
    subprocess.run(batch, input=f"{lines}addr add 10.2.1.5/24 dev ethwe\n", text=True, check=True)
    assert start(space, "true", WAIT_FOR_SECONDS="5").finish().code == 0


def test_an_address_that_goes_while_it_is_looked_at_is_none() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for name in (b"lo:no-such", b"no-such-iface"):
            request = ioctls.IFREQ_INET.pack(name, socket.AF_INET, bytes([203, 0, 113, 7]))
            assert ioctls.read_prefixlen(sock, request) is None
