"""Whose process a pid is, and what a container's link is called."""

from __future__ import annotations

import errno
import os

import pytest

from waitforweave.attach import netns
from waitforweave.attach.backend import AttachError, Container
from waitforweave.attach.netns import is_another
from waitforweave.attach.pair import hardware_address, host_end_name

OURS, THEIRS, OUTER = "a" * 64, "b" * 64, "c" * 64


@pytest.mark.parametrize(
    ("cgroups", "own", "expected"),
    [
        (f"0::/system.slice/docker-{OURS}.scope\n", "0::/\n", False),
        (f"12:pids:/docker/{OURS}\n0::/docker/{OURS}\n", "0::/init.scope\n", False),
        (f"0::/../{OURS}\n", "0::/\n", False),
        (f"0::/docker/{OURS}/init.scope\n", "0::/\n", False),
        (f"0::/libpod-{THEIRS}.scope\n", "0::/\n", True),
        (f"0::/docker/{THEIRS}\n", "0::/\n", True),
        # An engine in a container, and we beside it.
        (f"0::/docker/{OUTER}/docker/{OURS}\n", f"0::/docker/{OUTER}\n", False),
        (f"0::/docker/{OUTER}/docker/{THEIRS}\n", f"0::/docker/{OUTER}\n", True),
        (f"0::/docker/{OUTER}\n", f"0::/docker/{OUTER}\n", False),
        # No id that we know: nothing can be said.
        ("0::/user.slice\n", "0::/\n", False),
        ("", "", False),
        (f"0::/{THEIRS}0\n", "0::/\n", False),
    ],
)
def test_another_containers_process_is_told_by_its_cgroup(cgroups, own, expected):
    assert is_another(OURS, cgroups, own) is expected


def refusal(monkeypatch: pytest.MonkeyPatch, number: int) -> Exception:
    """What is said where the namespace's file cannot be opened for this reason."""

    def refuse(path: str, _flags: int) -> int:
        raise OSError(number, os.strerror(number), path)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises((AttachError, OSError)) as refused, netns.held(Container(OURS, os.getpid())):
        pass
    return refused.value


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ESRCH])
def test_one_that_has_ended_is_told_as_that(monkeypatch, number):
    assert str(refusal(monkeypatch, number)) == "container aaaaaaaaaaaa not running"


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO])
def test_what_fails_here_is_not_told_as_the_containers_end(monkeypatch, number):
    assert getattr(refusal(monkeypatch, number), "errno", None) == number


def test_a_host_end_has_a_name_that_the_kernel_takes():
    names = {host_end_name(f"{n:064x}") for n in range(1000)}
    assert len(names) == 1000
    assert {len(name) for name in names} == {15}  # IFNAMSIZ is 16, with the NUL


@pytest.mark.parametrize("cidr", ["10.2.1.5/24", "fd00::5/64"])
def test_a_hardware_address_is_one_machines_and_locally_administered(cidr):
    octets = bytes.fromhex(hardware_address([cidr, "10.9.9.9/8"]).replace(":", ""))
    assert len(octets) == 6
    assert octets[0] & 0b11 == 0b10
    assert hardware_address([cidr]) == octets.hex(":")


def test_every_ipv4_address_has_a_hardware_address_of_its_own():
    assert hardware_address(["10.2.1.5/24"]) == "02:77:0a:02:01:05"
