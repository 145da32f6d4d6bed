"""Framing: whole messages come back as they were, and what is odd is an error at its offset."""

from __future__ import annotations

from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroute2.netlink import nlmsg as oracle

from waitforweave.gate import nlmsg, uapi
from waitforweave.gate.nlmsg import NetlinkDecodeError


def header(length: int, kind: int = 16, flags: int = 0, sequence: int = 0, port: int = 0) -> bytes:
    return pack("=IHHII", length, kind, flags, sequence, port)


def test_a_header_has_its_fields() -> None:
    (message,) = nlmsg.decode(header(20, 16, 2, 3, 4) + b"data")
    fields = (message.kind, message.flags, message.sequence, message.port_id, message.payload)
    assert fields == (16, 2, 3, 4, b"data")


def test_an_empty_datagram_has_no_messages() -> None:
    assert list(nlmsg.decode(b"")) == []


def test_messages_are_padded_to_four_bytes() -> None:
    datagram = header(17, 1) + b"a" + b"\0\0\0" + header(16, 2)
    assert [(m.kind, m.payload) for m in nlmsg.decode(datagram)] == [(1, b"a"), (2, b"")]


def test_the_last_message_needs_no_padding() -> None:
    assert [m.payload for m in nlmsg.decode(header(17) + b"a")] == [b"a"]


@pytest.mark.parametrize(
    ("datagram", "offset", "what"),
    [
        (b"\0", 0, "1 bytes are no message header"),
        (header(16)[:15], 0, "15 bytes are no message header"),
        (header(0), 0, "message length 0 of 16 bytes"),
        (header(15), 0, "message length 15 of 16 bytes"),
        (header(17), 0, "message length 17 of 16 bytes"),
        (header(0xFFFFFFFF), 0, "message length 4294967295 of 16 bytes"),
        (header(16) + header(4), 16, "message length 4 of 16 bytes"),
        (header(16) + b"abc", 16, "3 bytes are no message header"),
    ],
)
def test_odd_messages_are_errors(datagram: bytes, offset: int, what: str) -> None:
    with pytest.raises(NetlinkDecodeError) as caught:
        list(nlmsg.decode(datagram))
    assert caught.value.offset == offset
    assert str(caught.value) == f"netlink: {what} at byte {offset}"


def test_what_stands_before_the_odd_one_is_there() -> None:
    messages = nlmsg.decode(header(16, 7) + header(3))
    assert next(messages).kind == 7
    with pytest.raises(NetlinkDecodeError):
        next(messages)


def test_attributes_by_type() -> None:
    payload = b"head" + pack("=HH", 5, 3) + b"x\0\0\0" + pack("=HH", 4, 9)
    assert nlmsg.decode_attributes(payload, 4) == {3: b"x", 9: b""}


def test_flags_in_an_attributes_type_are_no_part_of_it() -> None:
    assert nlmsg.decode_attributes(pack("=HH", 4, 0x8003) + pack("=HH", 4, 0x4004), 0) == {
        3: b"",
        4: b"",
    }


def test_of_two_attributes_the_last_counts() -> None:
    payload = pack("=HHI", 8, 3, 1) + pack("=HHI", 8, 3, 2)
    assert nlmsg.decode_attributes(payload, 0) == {3: pack("=I", 2)}


@pytest.mark.parametrize(
    ("payload", "offset", "what"),
    [
        (b"abc", 0, "3 bytes are no attribute header"),
        (pack("=HH", 0, 3), 0, "attribute length 0 of 4 bytes"),
        (pack("=HH", 3, 3), 0, "attribute length 3 of 4 bytes"),
        (pack("=HH", 5, 3), 0, "attribute length 5 of 4 bytes"),
        (pack("=HH", 4, 3) + pack("=HH", 9, 3) + b"abcd", 4, "attribute length 9 of 8 bytes"),
    ],
)
def test_odd_attributes_are_errors(payload: bytes, offset: int, what: str) -> None:
    with pytest.raises(NetlinkDecodeError) as caught:
        nlmsg.decode_attributes(payload, 0)
    assert caught.value.offset == offset
    assert what in str(caught.value)


def test_an_offset_past_the_end_is_no_attribute() -> None:
    assert nlmsg.decode_attributes(b"", 16) == {}


def test_our_messages_are_read_by_pyroute2() -> None:
    told = oracle(nlmsg.encode(18, uapi.NLM_F_REQUEST | uapi.NLM_F_DUMP, 77, b"payload"))
    told.decode()
    assert told["header"]["type"] == 18
    assert told["header"]["flags"] == 0x301
    assert told["header"]["sequence_number"] == 77
    assert told["header"]["length"] == 16 + 7


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), st.binary(max_size=40)),
        max_size=5,
    )
)
def test_encoded_messages_are_decoded(messages: list[tuple[int, int, bytes]]) -> None:
    datagram = b"".join(nlmsg.encode(kind, 0, seq, payload) for kind, seq, payload in messages)
    found = [(m.kind, m.sequence, m.payload) for m in nlmsg.decode(datagram)]
    assert found == messages


@settings(deadline=None)
@given(st.dictionaries(st.integers(0, 0x3FFF), st.binary(max_size=40), max_size=5))
def test_encoded_attributes_are_decoded(attributes: dict[int, bytes]) -> None:
    payload = b"".join(nlmsg.encode_attribute(kind, value) for kind, value in attributes.items())
    assert nlmsg.decode_attributes(payload, 0) == attributes


@pytest.mark.parametrize(("length", "aligned"), [(0, 0), (1, 4), (4, 4), (5, 8)])
def test_alignment(length: int, aligned: int) -> None:
    assert nlmsg.align(length, 4) == aligned
