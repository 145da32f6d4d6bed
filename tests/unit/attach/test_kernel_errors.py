"""What a person is told of what the kernel refused."""

from __future__ import annotations

import errno

import pytest
from pyroute2.netlink.exceptions import NetlinkError

from waitforweave.attach.backend import AttachError
from waitforweave.attach.links import kernel_errors


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NetlinkError(errno.EPERM), "weave: Operation not permitted; root is needed, or NET_ADMIN"),
        (NetlinkError(errno.ENOBUFS), "weave: No buffer space available"),
        (OSError("no such namespace"), "weave: no such namespace"),
    ],
)
def test_it_names_what_it_was_about_and_which_right_is_missing(error, said):
    with pytest.raises(AttachError) as raised, kernel_errors("weave"):
        raise error
    assert str(raised.value) == said
