"""Record real rtnetlink datagrams into captures/, with what pyroute2 reads in them.

    unshare --net .venv/bin/python -m tests.unit.gate.capture

needs root, veth and bridge. One file a step: comments, the commands, a line of hex for each
datagram, and after `=` what each message says according to pyroute2, our oracle.
"""

from __future__ import annotations

import select
import socket
import subprocess
from pathlib import Path

from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

CAPTURES = Path(__file__).parent / "captures"
GROUPS = 0x1 | 0x10 | 0x100
ROUTE_GROUPS = 0x40 | 0x400
QUIET_SECONDS = 2.5  # longer than duplicate address detection takes
DUMP = 0x301
HEADER = 16
RTN_UNICAST = 1

# Name, why it is worth keeping, commands ("dump 18": a request by ourselves).
STEPS = (
    ("link-made", "a veth pair: two names, no carrier, NLA_F_NESTED in types",
     ["link add ethwe type veth peer name far"]),
    ("link-up-without-carrier", "IFF_UP without IFF_LOWER_UP; operstate 3, lower layer down",
     ["link set ethwe up"]),
    ("link-carrier", "the peer comes up: IFF_LOWER_UP is there before operstate is brought up to "
     "date (0x11003, lower layer down), which the kernel's link watch may do a second later",
     ["link set far up"]),
    ("address-v4", "IFA_LOCAL and IFA_ADDRESS are the same; IFA_FLAGS beats ifa_flags",
     ["addr add 10.2.1.5/24 dev ethwe"]),
    ("address-v4-peer", "IFA_ADDRESS is the peer's: ours is IFA_LOCAL",
     ["addr add 10.9.0.1 peer 10.9.0.2/30 dev ethwe"]),
    ("address-v6", "tentative (0x40) first; no IFA_LOCAL", ["addr add 2001:db8::5/64 dev ethwe"]),
    ("address-v6-nodad", "never tentative", ["addr add 2001:db8::6/64 dev ethwe nodad"]),
    ("", "", ["addr add 2001:db8::7/64 dev far nodad"]),
    ("address-v6-duplicate", "another host has it: IFA_F_DADFAILED (0x08), and tentative for ever",
     ["addr add 2001:db8::7/64 dev ethwe"]),
    ("address-deleted", "RTM_DELADDR", ["addr del 10.2.1.5/24 dev ethwe"]),
    ("", "", ["link add weave type bridge", "link set far master weave"]),
    ("bridge-port-left", "AF_BRIDGE in the same group, and its RTM_DELLINK: no longer a port of "
     "the bridge, and not gone at all",
     ["link set far nomaster"]),
    ("dump-links", "NLM_F_MULTI, our port id and sequence, NLMSG_DONE", ["dump 18"]),
    ("dump-addresses", "both families in one dump", ["dump 22"]),
    ("link-renamed", "the index stays", ["link set ethwe down", "link set ethwe name other"]),
    ("link-deleted", "RTM_DELADDR before RTM_DELLINK; the peer goes with it", ["link del other"]),
)  # fmt: skip

# The same with the groups of routes alone.
ROUTE_STEPS = (
    ("", "", ["link add ethwe type veth peer name far", "link set far up", "link set ethwe up",
              "addr add 2001:db8::5/64 dev ethwe nodad"]),
    ("route-connected", "the kernel's own: one to the network (RTN_UNICAST), and to the address "
     "itself and its broadcast in the table local",
     ["addr add 10.2.1.5/24 dev ethwe"]),
    ("route-multicast", "WEAVE's; unicast by its type", ["route add 224.0.0.0/4 dev ethwe"]),
    ("route-default", "no RTA_DST at all", ["route add default via 10.2.1.1 metric 7"]),
    ("route-default-v6", "the same for IPv6",
     ["-6 route add default via 2001:db8::1 dev ethwe table 100"]),
    ("route-multipath", "struct rtnexthop in RTA_MULTIPATH in the place of RTA_OIF",
     ["route add 10.9.0.0/16 nexthop via 10.2.1.1 dev ethwe nexthop via 10.2.1.2 dev ethwe"]),
    ("route-blackhole", "out of no interface", ["route add blackhole 10.8.0.0/16"]),
    ("route-deleted", "RTM_DELROUTE", ["route del 224.0.0.0/4 dev ethwe"]),
    ("dump-routes", "both families, all tables, in one dump", ["dump 26"]),
    ("route-flushed", "IPv6 routes alone: those of IPv4 go with the link, and nobody is told",
     ["link set ethwe down"]),
)  # fmt: skip


def main() -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    CAPTURES.mkdir(exist_ok=True)
    record_all(GROUPS, STEPS)
    record_all(ROUTE_GROUPS, ROUTE_STEPS)


def record_all(groups: int, steps: tuple[tuple[str, str, list[str]], ...]) -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.bind((0, groups))
        for name, why, commands in steps:
            datagrams = record(sock, commands)
            if not name:
                continue
            told = [line for datagram in datagrams for line in tell(datagram)]
            lines = [f"# {why}", *(f"# {c if 'dump' in c else 'ip ' + c}" for c in commands)]
            lines += [*(datagram.hex() for datagram in datagrams), *(f"= {line}" for line in told)]
            (CAPTURES / f"{name}.hex").write_text("\n".join(lines) + "\n")


def record(sock: socket.socket, commands: list[str]) -> list[bytes]:
    """All datagrams that come of the commands, until nothing more comes."""
    for command in commands:
        if command.startswith("dump"):
            kind = int(command.removeprefix("dump "))
            header = (20).to_bytes(4, "little") + kind.to_bytes(2, "little")
            rest = DUMP.to_bytes(2, "little") + (kind).to_bytes(4, "little") + bytes(8)
            sock.send(header + rest)
        else:
            subprocess.run(["ip", *command.split()], check=True)
    datagrams = []
    while select.select([sock], [], [], QUIET_SECONDS)[0]:
        datagrams.append(sock.recv(1 << 16))
    return datagrams


def tell(datagram: bytes) -> list[str]:
    """What pyroute2 reads in each message: one line each."""
    lines, offset = [], 0
    while offset < len(datagram):
        length = int.from_bytes(datagram[offset : offset + 4], "little")
        kind = int.from_bytes(datagram[offset + 4 : offset + 6], "little")
        lines.append(tell_message(kind, datagram[offset : offset + length]))
        offset += length + 3 & ~3
    return lines


def tell_message(kind: int, data: bytes) -> str:
    if kind in (16, 17):
        link = ifinfmsg(data)
        link.decode()
        if link["family"] != socket.AF_UNSPEC:
            return "none"
        name, state = link.get_attr("IFLA_IFNAME"), link.get_attr("IFLA_OPERSTATE")
        gone = "gone " if kind == 17 else ""
        return f"{gone}link {link['index']} {name} {link['flags']:#x} {state}"
    if kind in (20, 21):
        address = ifaddrmsg(data)
        address.decode()
        ours = address.get_attr("IFA_LOCAL") or address.get_attr("IFA_ADDRESS")
        gone = "gone " if kind == 21 else ""
        flags = address.get_attr("IFA_FLAGS")
        cidr = f"{ours}/{address['prefixlen']}"
        return f"{gone}address {address['index']} {cidr} scope {address['scope']} {flags:#x}"
    if kind in (24, 25):
        return tell_route(data, "gone " if kind == 25 else "")
    return {2: "error", 3: "done"}[kind]


def tell_route(data: bytes, gone: str) -> str:
    route = rtmsg(data)
    route.decode()
    if route["type"] != RTN_UNICAST or route["family"] not in (socket.AF_INET, socket.AF_INET6):
        return "none"
    nothing = "0.0.0.0" if route["family"] == socket.AF_INET else "::"
    to = f"{route.get_attr('RTA_DST') or nothing}/{route['dst_len']}"
    hops = [hop["oif"] for hop in route.get_attr("RTA_MULTIPATH") or ()]
    out = [index for index in (route.get_attr("RTA_OIF"), *hops) if index]
    table, priority = route.get_attr("RTA_TABLE"), route.get_attr("RTA_PRIORITY") or 0
    return f"{gone}route {to} out of {out} table {table} metric {priority}"


if __name__ == "__main__":
    main()
