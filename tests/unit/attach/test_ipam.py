"""Which address a container gets, keeps, and gives back."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from waitforweave.attach.backend import AttachError
from waitforweave.attach.claims import Address, Links
from waitforweave.attach.ipam import Ipam
from waitforweave.gate.weave_cidr import parse

A, B, C = "a" * 64, "b" * 64, "c" * 64


def everybody(_: str) -> bool:
    return True


def nobody(_: str) -> bool:
    return False


def nowhere(_: Address) -> None:
    return None


def claimed(
    ipam: Ipam,
    container: str,
    value: str,
    alive: Callable[[str], bool] = everybody,
    linked: Callable[[Address], str | None] = nowhere,
) -> list[str]:
    return [claim.cidr for claim in ipam.claim(container, parse(value), Links(alive, linked))]


@pytest.fixture
def ipam(tmp_path: Path) -> Ipam:
    return Ipam(tmp_path / "state", "10.32.0.0/12")


def test_nothing_named_gives_the_default_subnets_first(ipam):
    assert claimed(ipam, A, "") == ["10.32.0.1/12"]
    assert claimed(ipam, B, "net:default") == ["10.32.0.2/12"]


def test_one_that_others_take_while_we_note_it_is_the_kernels_to_refuse(ipam):
    """Found free, and somebody else's a moment later: not told as if it had been named."""
    answers = iter([None])
    assert claimed(ipam, A, "", linked=lambda _: next(answers, B)) == ["10.32.0.1/12"]


def test_each_word_gets_its_address_in_order(ipam):
    value = "net:10.2.2.0/24 10.2.1.5/24 net:default net:fd00:1::/64 fd00::5/64"
    assert claimed(ipam, A, value) == [
        "10.2.2.1/24",
        "10.2.1.5/24",
        "10.32.0.1/12",
        "fd00:1::1/64",
        "fd00::5/64",
    ]


def test_a_subnets_word_does_not_take_what_another_word_names(ipam):
    assert claimed(ipam, A, "net:10.2.1.0/24 10.2.1.1/24") == ["10.2.1.2/24", "10.2.1.1/24"]


def test_a_restart_gets_the_same_address(ipam, tmp_path):
    first = claimed(ipam, A, "net:default net:10.2.2.0/24")
    claimed(ipam, B, "")
    assert claimed(ipam, A, "net:default net:10.2.2.0/24", nobody) == first
    assert claimed(Ipam(tmp_path / "state", "10.32.0.0/12"), A, "net:default") == first[:1]


def test_another_default_subnet_gives_another_address(ipam, tmp_path):
    claimed(ipam, A, "")
    moved = Ipam(tmp_path / "state", "10.64.0.0/16")
    assert claimed(moved, A, "") == ["10.64.0.1/16"]
    assert moved.release(A) == ("10.64.0.1/16",)


def test_an_address_in_use_is_refused_in_weaves_words(ipam):
    claimed(ipam, A, "10.2.1.5/24")
    with pytest.raises(AttachError) as refused:
        claimed(ipam, B, "10.2.1.5/16")
    assert str(refused.value) == (
        "Unable to claim: address 10.2.1.5/16 already in use by aaaaaaaaaaaa"
    )


def test_the_address_of_one_that_does_not_run_may_be_taken_over(ipam):
    claimed(ipam, A, "10.2.1.5/24")
    assert claimed(ipam, B, "10.2.1.5/24", nobody) == ["10.2.1.5/24"]
    with pytest.raises(AttachError, match="already in use by bbbbbbbbbbbb"):
        claimed(ipam, A, "10.2.1.5/24")


def test_what_was_taken_between_claim_and_link_is_noticed(ipam):
    claims = ipam.claim(A, parse("10.2.1.5/24 net:default"), Links(nobody, nowhere))
    ipam.confirm(A, claims)
    claimed(ipam, B, "10.2.1.5/24", nobody)
    with pytest.raises(AttachError, match=r"10\.2\.1\.5/24 was taken meanwhile"):
        ipam.confirm(A, claims)


def test_one_refused_word_gives_none_of_them(ipam):
    claimed(ipam, A, "10.2.1.5/24")
    with pytest.raises(AttachError):
        claimed(ipam, B, "10.2.1.6/24 10.2.1.5/24 net:default")
    assert ipam.release(B) == ()
    assert claimed(ipam, C, "10.2.1.6/24") == ["10.2.1.6/24"]


def test_a_subnet_gives_every_address_once_then_says_that_it_is_full(ipam):
    given = [claimed(ipam, f"{n:064x}", "net:10.2.2.0/29")[0] for n in range(6)]
    assert given == [f"10.2.2.{n}/29" for n in range(1, 7)]
    with pytest.raises(AttachError, match=r"no address is free in 10\.2\.2\.0/29"):
        claimed(ipam, A, "net:10.2.2.0/29")


def test_a_full_subnet_gives_the_address_of_one_that_does_not_run(ipam):
    for name in (A, B):
        claimed(ipam, name, "net:10.2.2.0/30")
    assert claimed(ipam, C, "net:10.2.2.0/30", lambda name: name != B) == ["10.2.2.2/30"]


def test_a_full_subnet_gives_those_of_the_dead_one_after_the_other(ipam):
    """Who was given one just now does not run yet: it is not the next one's."""
    for name in "123456":
        claimed(ipam, name, "net:10.2.2.0/29")
    given = [claimed(ipam, name, "net:10.2.2.0/29", nobody) for name in (A, B, C)]
    assert given == [["10.2.2.1/29"], ["10.2.2.2/29"], ["10.2.2.3/29"]]


def test_a_full_subnet_never_gives_a_container_what_it_holds_itself(ipam):
    claimed(ipam, B, "10.2.1.2/30")
    with pytest.raises(AttachError, match="no address is free"):
        claimed(ipam, A, "10.2.1.1/30 net:10.2.1.0/30", lambda name: name == B)


def test_a_released_address_rests_before_it_is_given_again(ipam):
    claimed(ipam, A, "net:10.2.2.0/29")
    assert ipam.release(A) == ("10.2.2.1/29",)
    assert claimed(ipam, B, "net:10.2.2.0/29") == ["10.2.2.2/29"]


def test_named_addresses_are_passed_over(ipam):
    claimed(ipam, A, "10.32.0.1/12 10.32.0.2/24 10.32.0.4/12")
    assert claimed(ipam, B, "") == ["10.32.0.3/12"]
    assert claimed(ipam, C, "") == ["10.32.0.5/12"]


@pytest.mark.parametrize(
    ("subnet", "addresses"),
    [
        ("10.2.2.0/31", ["10.2.2.0/31", "10.2.2.1/31"]),
        ("10.2.2.7/32", ["10.2.2.7/32"]),
        ("fd00::/126", ["fd00::1/126", "fd00::2/126"]),
    ],
)
def test_the_smallest_subnets(ipam, subnet, addresses):
    given = [claimed(ipam, f"{n}", f"net:{subnet}")[0] for n in range(len(addresses))]
    assert given == addresses
    with pytest.raises(AttachError, match="no address is free"):
        claimed(ipam, A, f"net:{subnet}")


def test_release_is_idempotent(ipam):
    claimed(ipam, A, "10.2.1.5/24 fd00::5/64")
    assert set(ipam.release(A)) == {"10.2.1.5/24", "fd00::5/64"}
    assert ipam.release(A) == ()


def test_undo_gives_back_what_is_new_and_no_more(ipam):
    claimed(ipam, A, "10.2.1.5/24")
    claims = ipam.claim(A, parse("10.2.1.5/24 10.2.1.6/24"), Links(everybody, nowhere))
    assert [claim.new for claim in claims] == [False, True]
    ipam.undo(A, claims)
    assert ipam.release(A) == ("10.2.1.5/24",)


def test_clear_leaves_no_file(ipam):
    claimed(ipam, A, "")
    ipam.clear()
    assert list(ipam.state.iterdir()) == []
    ipam.clear()


def test_a_second_process_notices_that_all_was_cleared(ipam, tmp_path):
    other = Ipam(tmp_path / "state", "10.32.0.0/12")
    claimed(ipam, A, "10.2.1.5/24")
    other.clear()
    claimed(other, B, "10.2.1.5/24")
    with pytest.raises(AttachError, match="already in use by bbbbbbbbbbbb"):
        claimed(ipam, C, "10.2.1.5/24")


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AttachError, match=r"the addresses in .*/file/state cannot be kept"):
        claimed(Ipam(tmp_path / "file" / "state", "10.32.0.0/12"), A, "")


def test_a_file_that_is_no_database_is_an_error_not_a_traceback(ipam):
    ipam.state.mkdir()
    (ipam.state / "ipam.db").write_bytes(b"not a database" * 100)
    with pytest.raises(AttachError, match="file is not a database"):
        claimed(ipam, A, "")


def test_threads_never_share_an_address(ipam):
    names = [f"{n:064x}" for n in range(100)]
    with ThreadPoolExecutor(16) as pool:
        given = list(pool.map(lambda name: claimed(ipam, name, "")[0], names))
    assert len(set(given)) == len(names)


def claim_many(state: Path, first: int) -> list[str]:
    ipam = Ipam(state, "10.32.0.0/12")
    return [claimed(ipam, f"{n:064x}", "")[0] for n in range(first, first + 25)]


def test_processes_never_share_an_address(tmp_path):
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        jobs = [(tmp_path, first) for first in range(0, 100, 25)]
        given = [cidr for part in pool.starmap(claim_many, jobs) for cidr in part]
    assert len(set(given)) == 100


def test_ten_thousand_allocations_and_no_scan(ipam):
    """Counted, not timed: the last one takes SQLite as many steps as the hundredth."""
    steps = [0]

    def count() -> int:
        steps[0] += 1
        return 0

    with ipam.transaction() as db:
        db.set_progress_handler(count, 1)
    taken = []
    for number in range(10_000):
        steps[0] = 0
        claimed(ipam, f"{number:064x}", "")
        taken.append(steps[0])
    assert len(ipam.holders()) == 10_000
    assert 0 < taken[-1] <= taken[100] + 5


def test_no_question_reads_the_whole_table(ipam, monkeypatch):
    asked: set[str] = set()
    claimed(ipam, A, "10.2.1.5/24 net:10.2.2.0/24")
    with ipam.transaction() as db:
        db.set_trace_callback(asked.add)
    claimed(ipam, A, "10.2.1.5/24 net:10.2.2.0/24 net:10.2.3.0/24")
    ipam.held(A)
    ipam.release(A)
    with ipam.transaction() as db:
        db.set_trace_callback(None)
        plans = {
            row[3]
            for question in asked
            if question.split()[0] in ("SELECT", "DELETE")
            for row in db.execute(f"EXPLAIN QUERY PLAN {question}")
        }
    assert len(plans) > 2
    assert [plan for plan in plans if plan.startswith("SCAN")] == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for little."""
    assert os.geteuid() == 0, "a mount wants root"
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "wfw-test", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


@pytest.mark.parametrize("begun", [False, True])
def test_a_full_disk_is_told_and_leaves_nothing(small_disk, begun):
    ipam = Ipam(small_disk / "state", "10.32.0.0/12")
    ipam.state.mkdir()
    if begun:
        claimed(ipam, A, "10.2.1.5/24")
    fill(small_disk / "filler")
    many = " ".join(f"10.3.{n}.1/24" for n in range(250))

    def claim_all() -> None:
        for number in range(40):
            claimed(ipam, B, many.replace("10.3", f"10.{3 + number}"))

    with pytest.raises(AttachError, match=r"the addresses in .*/state cannot be kept: .*full"):
        claim_all()
    (small_disk / "filler").unlink()
    assert claimed(ipam, A, "10.2.1.5/24") == ["10.2.1.5/24"]
    claimed(ipam, C, "10.3.1.1/24", nobody)


def test_what_sqlite_takes_back_by_itself_is_told_all_the_same(ipam):
    """A statement that finds no room ends the whole transaction (sqlite.org/lang_transaction)."""
    claimed(ipam, A, "10.2.1.5/24")
    with ipam.transaction() as db:
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages}")
    many = " ".join(f"10.3.{n}.1/24" for n in range(250))
    with pytest.raises(AttachError, match=r"cannot be kept: database or disk is full$"):
        claimed(ipam, B, many)


def test_a_full_subnet_is_told_with_its_size(ipam):
    for number in range(6):
        claimed(ipam, f"{number}", "net:10.2.2.0/29")
    with pytest.raises(
        AttachError, match=r"^no address is free in 10\.2\.2\.0/29: all 8 are in use$"
    ):
        claimed(ipam, A, "net:10.2.2.0/29")
