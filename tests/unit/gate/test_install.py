"""Copying the gate, where the folder is odd, or somebody copied there before."""

from __future__ import annotations

import os
import posix
from pathlib import Path

import pytest

from waitforweave.gate import install
from waitforweave.gate.launcher import Launch
from waitforweave.gate.loop import GateError


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    """Of a bundle of two files."""
    (tmp_path / "bundle" / "lib").mkdir(parents=True)
    (tmp_path / "bundle" / "lib" / "libc.so.6").write_text("library")
    (tmp_path / "bundle" / "wait-for-weave").write_text("launcher")
    return Launch(set(), 0, os.fsencode(tmp_path / "bundle" / "wait-for-weave"))


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


BUNDLE = {"lib/libc.so.6", "wait-for-weave"}


@pytest.mark.parametrize("name", ["new", "new/", "new//er", "new/.", "new/../newer", "./new/./er"])
def test_the_folder_is_made_however_it_is_written(
    launch: Launch, tmp_path: Path, name: str
) -> None:
    install.install(launch, f"{tmp_path}/{name}")
    assert files(Path(f"{tmp_path}/{name}")) == BUNDLE


@pytest.mark.parametrize("name", ["dangling", "dangling/new", "wait-for-weave/new", "proc/new"])
def test_a_folder_that_cannot_be_is_named(launch: Launch, tmp_path: Path, name: str) -> None:
    (tmp_path / "bundle" / "dangling").symlink_to("nowhere/at/all")
    # Here nobody can make anything, and the kernel says that it is not there.
    (tmp_path / "bundle" / "proc").symlink_to("/proc")
    with pytest.raises(GateError, match=f"--install: {tmp_path}/bundle/{name.partition('/')[0]}"):
        install.install(launch, f"{tmp_path}/bundle/{name}")


@pytest.mark.parametrize("name", ["lib", "lib/new", "lib/new/er", "link"])
def test_it_is_not_copied_into_itself(launch: Launch, tmp_path: Path, name: str) -> None:
    (tmp_path / "bundle" / "link").symlink_to("lib")
    with pytest.raises(GateError, match="would be copied into itself"):
        install.install(launch, f"{tmp_path}/bundle/{name}")
    assert files(tmp_path / "bundle") - {"link"} == BUNDLE


def test_beside_its_library_it_may_lie(launch: Launch, tmp_path: Path) -> None:
    install.install(launch, f"{tmp_path}/bundle/other")
    assert files(tmp_path / "bundle" / "other") == BUNDLE


def test_a_folder_that_another_makes_meanwhile_will_do(
    launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = os.mkdir

    def slow_mkdir(path: bytes, mode: int) -> None:
        mkdir(path, mode)
        if path.endswith(b"/outer"):
            mkdir(path + b"/inner")

    monkeypatch.setattr(posix, "mkdir", slow_mkdir)
    install.install(launch, f"{tmp_path}/outer/inner")
    assert files(tmp_path / "outer" / "inner") == BUNDLE


def test_what_a_killed_one_of_the_same_pid_left_is_not_in_the_way(
    launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container it is PID 1, each time."""
    folder, rename = tmp_path / "gate", os.rename

    def killed(*_: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(posix, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        install.install(launch, str(folder))
    assert files(folder)
    monkeypatch.setattr(posix, "rename", rename)
    install.install(launch, str(folder))
    assert files(folder) > BUNDLE
