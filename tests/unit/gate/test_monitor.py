"""The monitor through all its states, fed with datagrams and no socket."""

from __future__ import annotations

from struct import pack

import pytest

from tests.unit.gate.facts import (
    address,
    address_message,
    link,
    link_message,
    message,
)
from tests.unit.gate.kernel import DONE, ERROR, OVERRUN, PORT, TORN, Kernel, asked, done, watching
from waitforweave.gate import uapi
from waitforweave.gate.monitor import (
    ADDRESSES,
    LINKS,
    MAX_DUMPS,
    WATCHING,
    NetlinkFailed,
)
from waitforweave.gate.nlmsg import NetlinkDecodeError


def test_links_are_asked_for_first_then_addresses() -> None:
    kernel = Kernel()
    assert kernel.request is not None
    assert (kernel.request[0], kernel.monitor.state) == (uapi.RTM_GETLINK, LINKS)
    kernel.dump_links("lo", "ethwe")
    assert (kernel.request[0], kernel.monitor.state) == (uapi.RTM_GETADDR, ADDRESSES)
    kernel.dump_addresses("10.2.1.5/24")
    assert kernel.monitor.state == WATCHING
    assert kernel.told() == (["lo", "ethwe"], ["10.2.1.5/24"])


def test_each_request_has_its_own_sequence() -> None:
    kernel = Kernel()
    first = kernel.sequence
    kernel.dump_links("lo")
    assert kernel.sequence != first


def test_a_whole_dump_may_come_in_one_datagram() -> None:
    kernel = Kernel()
    kernel.send(link_message(link(2), 16, kernel.sequence, PORT), done(kernel.sequence))
    assert kernel.monitor.state == ADDRESSES


def test_nothing_is_known_before_the_dump_is_whole() -> None:
    kernel = Kernel()
    kernel.send(link_message(link(2), 16, kernel.sequence, PORT))
    kernel.send(done(kernel.sequence))
    assert kernel.told() == ([], [])


def test_notifications_are_taken_in_while_watching() -> None:
    kernel = watching()
    kernel.send(
        address_message(address("10.2.1.6/24", 2)), address_message(address("10.2.1.5/24", 2), 21)
    )
    kernel.send(link_message(link(5, "eth5")))
    assert kernel.told() == (["lo", "ethwe", "eth5"], ["10.2.1.6/24"])


def test_notifications_are_taken_in_between_a_dumps_answers() -> None:
    kernel = Kernel()
    kernel.send(link_message(link(2, "ethwe")))
    kernel.dump_links("lo")
    kernel.send(address_message(address("10.2.1.5/24", 2)))
    kernel.dump_addresses()
    assert kernel.told() == (["lo", "ethwe"], ["10.2.1.5/24"])


def test_what_is_told_in_a_dump_is_newer_than_the_dump() -> None:
    """The kernel may put an event into the queue before the older part of a dump."""
    kernel = Kernel()
    kernel.dump_links("lo", "ethwe")
    settled = address("2001:db8::5/64", 2)
    kernel.send(address_message(address("10.2.1.5/24", 2), 21), address_message(settled))
    tentative = address("2001:db8::5/64", 2, flags=uapi.IFA_F_TENTATIVE)
    kernel.send(address_message(tentative, 20, kernel.sequence, PORT))
    kernel.dump_addresses("10.2.1.5/24")
    (found,) = kernel.monitor.links.addresses(2)
    assert (found.text, found.flags) == ("2001:db8::5/64", settled.flags)


def test_what_somebody_with_our_port_id_does_from_another_namespace_is_told() -> None:
    kernel = watching()
    kernel.send(link_message(link(5, "eth5"), 16, 77, PORT))
    assert kernel.told()[0] == ["lo", "ethwe", "eth5"]


def test_a_notification_that_another_process_caused_is_no_answer() -> None:
    kernel = Kernel()
    kernel.send(message(DONE, pack("=i", 0), kernel.sequence, PORT + 1))
    assert kernel.monitor.state == LINKS
    kernel = watching()
    kernel.send(link_message(link(5, "eth5"), 16, kernel.sequence, PORT + 1))
    assert kernel.told()[0] == ["lo", "ethwe", "eth5"]


def test_an_answer_to_an_older_request_is_none() -> None:
    kernel = Kernel()
    old = kernel.sequence
    kernel.dump_links("lo", "ethwe")
    kernel.send(link_message(link(9, "stale"), 16, old, PORT), done(old))
    assert kernel.monitor.state == ADDRESSES
    kernel.dump_addresses()
    assert kernel.told() == (["lo", "ethwe"], [])


@pytest.mark.parametrize("sender", [1, PORT, 0xFFFFFFFF])
def test_only_the_kernel_is_believed(sender: int) -> None:
    kernel = Kernel()
    assert kernel.send(done(kernel.sequence), sender=sender) is None
    assert kernel.monitor.state == LINKS
    kernel = watching()
    kernel.send(link_message(link(5, "eth5")), b"and noise", sender=sender)
    assert kernel.told()[0] == ["lo", "ethwe"]


@pytest.mark.parametrize("torn", ["answer", "done"])
def test_a_torn_dump_of_links_is_asked_for_again(torn: str) -> None:
    kernel = Kernel()
    first = kernel.sequence
    kernel.send(link_message(link(7, "gone"), 16, first, PORT, TORN if torn == "answer" else 0))
    kernel.send(done(first, TORN if torn == "done" else 0))
    assert kernel.request == (uapi.RTM_GETLINK, first + 1)
    kernel.dump_links("lo", "ethwe")
    kernel.dump_addresses()
    assert kernel.told()[0] == ["lo", "ethwe"]


def test_a_torn_dump_of_addresses_begins_with_links_again() -> None:
    kernel = Kernel()
    kernel.dump_links("lo", "ethwe")
    assert kernel.send(done(kernel.sequence, TORN)) is not None
    assert kernel.request is not None
    assert (kernel.request[0], kernel.monitor.state) == (uapi.RTM_GETLINK, LINKS)


def test_lost_events_are_dumped_for_again() -> None:
    kernel = watching()
    kernel.lose()
    assert kernel.request is not None
    assert kernel.request[0] == uapi.RTM_GETLINK
    # The old model goes only when the new one is whole.
    kernel.dump_links("lo", "ethwe", "eth1")
    assert kernel.told() == (["lo", "ethwe"], ["10.2.1.5/24"])
    kernel.dump_addresses("10.2.1.9/24")
    assert kernel.told() == (["lo", "ethwe", "eth1"], ["10.2.1.9/24"])


def test_a_dump_that_began_in_a_full_queue_is_not_believed() -> None:
    """What happened between its beginning and the queue's end was dropped without a word."""
    kernel = watching()
    kernel.request = asked(kernel.monitor.lost())
    assert kernel.request is not None
    first = kernel.sequence
    kernel.dump_links("lo", "stale")
    assert kernel.request == (uapi.RTM_GETLINK, first + 1)
    kernel.dump_links("lo", "ethwe")
    kernel.dump_addresses()
    assert kernel.told() == (["lo", "ethwe"], [])


def test_an_overrun_message_is_lost_events_too() -> None:
    kernel = watching()
    assert kernel.send(message(OVERRUN, b"", 0, 0)) is not None
    assert kernel.monitor.state == LINKS


@pytest.mark.parametrize("state", [LINKS, ADDRESSES])
def test_events_lost_in_a_dump_wait_for_its_end(state: str) -> None:
    # A second dump on the same socket would be refused (EBUSY).
    kernel = Kernel()
    if state == ADDRESSES:
        kernel.dump_links("lo")
    assert kernel.monitor.lost() is None
    assert kernel.monitor.state == state
    kernel.send(done(kernel.sequence))
    assert kernel.request is not None
    assert kernel.request[0] == uapi.RTM_GETLINK


def test_notifications_reach_old_and_new_model() -> None:
    kernel = watching()
    kernel.lose()
    kernel.send(address_message(address("10.2.1.6/24", 2)))
    assert kernel.told()[1] == ["10.2.1.5/24", "10.2.1.6/24"]
    kernel.dump_links("lo", "ethwe")
    kernel.dump_addresses()
    assert kernel.told()[1] == ["10.2.1.6/24"]


def test_dumps_that_never_come_whole_end() -> None:
    kernel = Kernel()
    for _ in range(MAX_DUMPS - 1):
        kernel.send(done(kernel.sequence, TORN))
    with pytest.raises(NetlinkFailed, match=f"{MAX_DUMPS} answers in a row were torn"):
        kernel.send(done(kernel.sequence, TORN))


def test_a_whole_dump_begins_the_count_again() -> None:
    kernel = watching()
    for _ in range(2 * MAX_DUMPS):
        kernel.lose()
        kernel.dump_links("lo", "ethwe")
        kernel.dump_addresses()
    assert kernel.monitor.state == WATCHING


@pytest.mark.parametrize("kind", [DONE, ERROR])
def test_a_refused_request_is_said_so(kind: int) -> None:
    kernel = Kernel()
    with pytest.raises(NetlinkFailed, match="answers the request for links with 95"):
        kernel.send(message(kind, pack("=i", -95), kernel.sequence, PORT))


def test_odd_bytes_from_the_kernel_are_an_error() -> None:
    with pytest.raises(NetlinkDecodeError):
        Kernel().send(b"odd")


def test_other_messages_change_nothing() -> None:
    kernel = watching()
    assert kernel.send(message(1, b"", 0, 0), message(28, b"neighbour", 0, 0)) is None
    assert kernel.told() == (["lo", "ethwe"], ["10.2.1.5/24"])
