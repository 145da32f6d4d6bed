"""Finding the command as runc 1.1.5 under Docker 20.10 does: each case was tried there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waitforweave.gate import execute
from waitforweave.gate.execute import CommandError


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """one/: tool (not executable), folder/; two/: tool, script; the current directory: here."""
    monkeypatch.chdir(tmp_path)
    for name, mode in (("one/tool", 0o644), ("two/tool", 0o755), ("two/script", 0o755)):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("#!/bin/sh\n")
        file.chmod(mode)
    (tmp_path / "here").write_text("#!/bin/sh\n")
    (tmp_path / "here").chmod(0o755)
    (tmp_path / "one" / "folder").mkdir()
    return os.fsencode(tmp_path)


def paths(root: bytes, *names: str) -> bytes:
    return b":".join(root + b"/" + name.encode() for name in names)


def test_the_first_of_path_that_can_be_executed(root: bytes) -> None:
    assert execute.find("tool", paths(root, "one", "two")) == root + b"/two/tool"


def test_a_word_with_a_slash_is_used_as_it_is(root: bytes) -> None:
    assert execute.find("./here", b"/nowhere") == b"./here"
    assert execute.find("two/../here", None) == b"two/../here"
    assert execute.find(os.fsdecode(root) + "/two/tool", b"") == root + b"/two/tool"


def test_without_path_docker_s_default_counts() -> None:
    assert execute.find("sh", None) in (b"/usr/bin/sh", b"/bin/sh")


def test_a_file_found_has_its_path_cleaned(root: bytes) -> None:
    path = root + b"/one//.././two/"
    assert execute.find("script", path) == root + b"/two/script"


def test_names_are_bytes(root: bytes) -> None:
    (Path(os.fsdecode(root)) / "two" / "\udcff").symlink_to("tool")
    assert execute.find("\udcff", paths(root, "two")) == root + b"/two/\xff"


@pytest.mark.parametrize(
    ("command", "path", "code", "message"),
    [
        ("nosuch", "one:two", 127, "nosuch: not found in PATH (one:two)"),
        ("", "one:two", 127, '"": not found in PATH (one:two)'),
        ("tool", "one", 127, "tool: not found in PATH (one)"),
        ("folder", "one", 127, "folder: not found in PATH (one)"),
        ("here", "", 127, 'here: not found in PATH ("")'),
        ("nosuch", "/x\n" + "y" * 99, 127, "nosuch: not found in PATH (/x\\n" + "y" * 57 + "...)"),
        ("./nosuch", "two", 127, "./nosuch: no such file, or its interpreter is not there"),
        ("two/tool/x", "two", 127, "two/tool/x: not a directory"),
        ("one/tool", "two", 126, "one/tool: permission denied"),
        ("./one", "two", 126, "./one: is a directory"),
        ("x" * 300 + "/", "two", 126, "x" * 300 + "/: file name too long"),
        ("here", ".", 126, "here: cannot run executable found relative to current directory"),
        ("here", ":/bin", 126, "here: cannot run executable found relative to current directory"),
        ("here", "/bin:", 126, "here: cannot run executable found relative to current directory"),
        ("tool", "two", 126, "tool: cannot run executable found relative to current directory"),
    ],
)
@pytest.mark.usefixtures("root")
def test_what_cannot_be_run(command: str, path: str, code: int, message: str) -> None:
    with pytest.raises(CommandError) as caught:
        execute.find(command, path.encode())
    assert (caught.value.code, str(caught.value)) == (code, message)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user to be denied")
def test_a_program_that_only_others_may_run_is_denied_unless_another_follows(root: bytes) -> None:
    tool = Path(os.fsdecode(root)) / "one" / "tool"
    tool.chmod(0o744)
    for folder in (tool.parent, tool.parents[1], tool.parents[2], tool.parents[3]):
        folder.chmod(0o755)
    child = os.fork()
    if child == 0:
        os._exit(denied(root))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 126


def denied(root: bytes) -> int:
    """As nobody: 126 if one/tool is refused and two/tool found; else what went wrong."""
    os.setuid(65534)
    if execute.find("tool", paths(root, "one", "two")) != root + b"/two/tool":
        return 1
    try:
        execute.find("tool", paths(root, "one"))
    except CommandError as error:
        return error.code if "permission denied" in str(error) else 2
    return 3


@pytest.mark.parametrize(
    ("path", "cleaned"),
    # The table of Go's own path/filepath/path_test.go, of what LookPath can join.
    [
        (b"abc", b"abc"),
        (b"abc/def", b"abc/def"),
        (b"a/b/c", b"a/b/c"),
        (b"..", b".."),
        (b"../..", b"../.."),
        (b"../../abc", b"../../abc"),
        (b"/abc", b"/abc"),
        (b"/", b"/"),
        (b"abc/", b"abc"),
        (b"/abc//def", b"/abc/def"),
        (b"//abc", b"/abc"),
        (b"///abc", b"/abc"),
        (b"abc/./def", b"abc/def"),
        (b"/./abc/def", b"/abc/def"),
        (b"abc/def/ghi/../jkl", b"abc/def/jkl"),
        (b"abc/def/../ghi/../jkl", b"abc/jkl"),
        (b"/abc/def/../../..", b"/"),
        (b"abc/def/../../../ghi/jkl/../../../mno", b"../../mno"),
        (b"/../abc", b"/abc"),
    ],
)
def test_paths_are_cleaned_as_go_does(path: bytes, cleaned: bytes) -> None:
    assert execute.clean(path) == cleaned


@settings(deadline=None)
@given(st.lists(st.sampled_from([b"", b".", b"..", b"a", b"b"]), max_size=8))
def test_cleaning_agrees_with_the_standard_library(parts: list[bytes]) -> None:
    path = b"/" + b"/".join(parts)
    assert execute.clean(path) == b"/" + os.path.normpath(path).lstrip(b"/")


@pytest.mark.parametrize(
    ("errno", "code", "words"),
    [(2, 127, "no such file"), (20, 127, "not a directory"), (8, 126, "exec format error"),
     (13, 126, "permission denied"), (7, 126, "argument list too long"), (40, 126, "too many")],
)  # fmt: skip
def test_what_exec_says(errno: int, code: int, words: str) -> None:
    error = execute.command_error(b"/x", errno)
    assert error.code == code
    assert str(error).startswith(f"/x: {words}")
