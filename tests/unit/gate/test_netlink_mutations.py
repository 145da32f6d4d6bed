"""Whatever arrives, decoding ends: with messages or with NetlinkDecodeError, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.gate import captured
from waitforweave.gate.monitor import Monitor, NetlinkFailed
from waitforweave.gate.nlmsg import NetlinkDecodeError

DATAGRAMS = [datagram for capture in captured.everything() for datagram in capture.datagrams]
OUR_PORT = 4711


def decode(datagram: bytes) -> list[str] | None:
    """What it says, or None for a NetlinkDecodeError; any other error is the test's failure."""
    try:
        return captured.tell(datagram)
    except NetlinkDecodeError:
        return None


@pytest.mark.parametrize("capture", captured.everything(), ids=lambda capture: capture.name)
def test_a_datagram_cut_anywhere_is_an_error_or_ends_between_messages(
    capture: captured.Capture,
) -> None:
    for datagram in capture.datagrams:
        whole = captured.tell(datagram)
        for end in range(1, len(datagram)):
            told = decode(datagram[:end])
            assert told is None or (told == whole[: len(told)] and len(told) < len(whole))


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(DATAGRAMS), st.data())
def test_changed_bytes_never_do_worse_than_a_decode_error(
    datagram: bytes, data: st.DataObject
) -> None:
    changed = bytearray(datagram)
    draw = data.draw
    for _ in range(draw(st.integers(1, 4))):
        # Most changes near the head, where the lengths are.
        limit = draw(st.sampled_from([min(40, len(changed)), len(changed)]))
        changed[draw(st.integers(0, limit - 1))] = draw(st.integers(0, 255))
    told = decode(bytes(changed))
    assert told is None or len(told) <= len(changed) // 16


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_noise_never_does_worse_than_a_decode_error(noise: bytes) -> None:
    told = decode(noise)
    assert told is None or len(told) <= len(noise) // 16


@settings(deadline=None)
@given(st.lists(st.one_of(st.sampled_from(DATAGRAMS), st.binary(max_size=100)), max_size=6))
def test_a_monitor_fed_with_anything_stays_in_its_states(datagrams: list[bytes]) -> None:
    monitor = Monitor(OUR_PORT)
    monitor.start()
    for datagram in datagrams:
        try:
            monitor.receive(datagram, 0)
        except (NetlinkDecodeError, NetlinkFailed):
            continue
    assert monitor.state in ("links", "addresses", "watching")
