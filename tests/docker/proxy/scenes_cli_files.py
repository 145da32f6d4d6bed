"""Tars both ways: cp, build, save and load, export and import, commit, plugin create."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docker.proxy.scenes import IMAGE, RUN, NotHereError, Scenes, Stage
from tests.support import images
from tests.support.docker_cli import Result

SCENES = Scenes()
BIG = b"0123456789" * 500_000
BUILD = ("build", "--network=none", "--no-cache", "--force-rm")


def tar_of(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            images.add_file(tar, name, content)
    return buffer.getvalue()


def names_in(tar: str) -> list[str]:
    content = io.BytesIO(tar.encode(errors="surrogateescape"))
    with tarfile.open(fileobj=content) as opened:
        return sorted(opened.getnames())


def built(stage: Stage, *words: str, stdin: bytes | None = None) -> Result:
    """By the classic builder, whose words are the engine's own."""
    said = stage.run(*BUILD, *words, stdin=stdin)
    if "buildx" in said.err and "Sending build context" not in said.out + said.err:
        raise NotHereError("this docker client has no classic builder")
    return said


@SCENES.scene
def build_from_a_tar(stage: Stage):
    dockerfile = f"FROM {IMAGE}\nARG WHO=nobody\nCOPY big /big\nRUN wc -c /big; echo $WHO\n"
    context = tar_of(Dockerfile=dockerfile.encode(), big=BIG)
    name = stage.name("built")
    said = built(stage, "-t", name, "--build-arg", "WHO=us", "-", stdin=context)
    assert f"{len(BIG)} /big\nus\n" in said.out
    return said, stage.run(*RUN, name, "wc", "-c", "/big"), stage.run("rmi", name).code


@SCENES.scene
def build_from_a_folder_with_ignored_files(stage: Stage):
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "Other").write_text(f"FROM {IMAGE} AS a\nCOPY . /all\nRUN ls -A /all\nFROM a\n")
        (root / ".dockerignore").write_text("secret*\n")
        (root / "kept").write_text("k")
        (root / "secret").write_text("s")
        said = built(stage, "-f", str(root / "Other"), "--target", "a", folder)
    assert "kept" in said.out
    assert "secret\n" not in said.out
    return said


@SCENES.scene
def build_quietly_for_an_id_in_a_file(stage: Stage):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "iid"
        words = ("-q", "--iidfile", str(path), "--label", stage.tag, "-")
        said = built(stage, *words, stdin=f"FROM {IMAGE}\nENV A=b\n".encode())
        assert path.read_text().strip() == said.out.strip()
    return said, stage.run("rmi", "-f", said.out.strip()).code


@SCENES.scene
def build_that_fails(stage: Stage):
    said = [
        built(stage, "-", stdin=f"FROM {IMAGE}\nRUN echo said; exit 7\n".encode()),
        built(stage, "-", stdin=b"FROM\n"),
        built(stage, "-", stdin=f"FROM {IMAGE}\nCOPY no-such /\n".encode()),
        built(stage, "--target", "no-such", "-", stdin=f"FROM {IMAGE}\n".encode()),
    ]
    assert all(each.code for each in said)
    return said


@SCENES.scene
def copy_in_and_out(stage: Stage):
    with stage.container(IMAGE, "true", start=False) as container:
        put = stage.run("cp", "-", f"{container}:/tmp", stdin=tar_of(big=BIG, b=b"b"))
        got = stage.run("cp", f"{container}:/tmp/big", "-")
        assert names_in(got.out) == ["big"]
        assert len(got.out) > len(BIG)
        changes = stage.run("diff", container)
        assert "A /tmp/big" in changes.out
        return put, got, sorted(changes.out.splitlines())


@SCENES.scene
def copy_files_and_folders(stage: Stage):
    script = "cat /tmp/in/a/f; echo from inside > /tmp/in/out; ls -lR /tmp/in | cut -c1-10"
    with (
        stage.container(IMAGE, "sh", "-c", script, start=False) as container,
        TemporaryDirectory() as folder,
    ):
        root = Path(folder)
        (root / "in" / "a").mkdir(parents=True)
        (root / "in" / "a" / "f").write_text("from outside\n")
        (root / "in" / "link").symlink_to("a/f")
        put = stage.run("cp", "-a", str(root / "in"), f"{container}:/tmp/")
        ran = stage.run("start", "-a", container)
        got = stage.run("cp", f"{container}:/tmp/in", str(root / "back"))
        back = {
            str(path.relative_to(root / "back")): path.read_text()
            for path in sorted((root / "back").rglob("*"))
            if path.is_file()
        }
    assert back == {"a/f": "from outside\n", "link": "from outside\n", "out": "from inside\n"}
    return put.code, got.code, ran, back


@SCENES.scene
def copy_while_it_runs(stage: Stage):
    with stage.container(IMAGE, "sleep", "1000") as container:
        put = stage.run("cp", "-", f"{container}:/tmp", stdin=tar_of(a=b"put"))
        seen = stage.run("exec", container, "cat", "/tmp/a")
        assert seen.out == "put"
        return put, seen, stage.run("cp", "-L", f"{container}:/bin/sh", "-").code


@SCENES.scene
def copies_that_fail(stage: Stage):
    with stage.container(IMAGE, "true", start=False) as container:
        said = [
            stage.run("cp", f"{container}:/no/such", "-"),
            stage.run("cp", "-", f"{container}:/no/such", stdin=tar_of(a=b"a")),
            stage.run("cp", "-", f"{container}:/bin/sh", stdin=tar_of(a=b"a")),
            stage.run("cp", "-", f"{container}:/tmp", stdin=b"no tar " * 300_000),
            stage.run("cp", "/no/such", f"{container}:/tmp"),
            stage.run("cp", f"{stage.name('no-such')}:/a", "-"),
        ]
        assert all(each.code for each in said)
        return said


@SCENES.scene
def save_and_load(stage: Stage):
    name = stage.name("saved")
    stage.docker("tag", IMAGE, name)
    saved = stage.run("save", name)
    tar = saved.out.encode(errors="surrogateescape")
    assert "manifest.json" in names_in(saved.out)
    # containerd's store has names of its own for what another scene has untagged.
    assert f"Untagged: {name}:latest\n" in stage.docker("rmi", name).out
    loaded = stage.run("load", stdin=tar)
    assert f"Loaded image: {name}:latest\n" in loaded.out
    quiet = stage.run("load", "-q", stdin=tar)
    with TemporaryDirectory() as folder:
        to_file = stage.run("save", "-o", f"{folder}/a.tar", name, IMAGE)
        from_file = stage.run("load", "-i", f"{folder}/a.tar")
    stage.docker("rmi", name)
    return saved.code, len(tar), loaded, quiet, to_file, sorted(from_file.out.split("\n"))


@SCENES.scene
def loads_and_saves_that_fail(stage: Stage):
    said = [
        stage.run("load", stdin=b"no tar " * 1000),
        stage.run("load", stdin=b""),
        stage.run("load", stdin=tar_of(a=b"a")),
        stage.run("save", stage.name("no-such")),
    ]
    assert said[0].code
    assert said[3].code
    return said


@SCENES.scene
def export_and_import(stage: Stage):
    name = stage.name("imported")
    with stage.container(IMAGE, "true", start=False) as container:
        exported = stage.run("export", container)
    root = exported.out.encode(errors="surrogateescape")
    assert "bin/busybox" in names_in(exported.out)
    words = ("--change", 'CMD ["echo", "as said"]', "--message", "why", "-", name)
    imported = stage.run("import", *words, stdin=root)
    ran = stage.run(*RUN, name)
    assert ran.out == "as said\n"
    history = stage.run("history", "--format", "{{.Comment}} {{.Size}}", name)
    return len(root), imported, ran, history, stage.run("rmi", name).code


@SCENES.scene
def commit(stage: Stage):
    name = stage.name("committed")
    with stage.container(IMAGE, "sh", "-c", "echo kept > /f") as container:
        stage.docker("wait", container)
        words = ("-m", "why", "-a", "who", "-c", 'CMD ["cat", "/f"]', "-c", "ENV A=b")
        committed = stage.run("commit", *words, container, name)
    ran = stage.run(*RUN, name)
    assert ran.out == "kept\n"
    shown = stage.run("inspect", "-f", "{{.Comment}} {{.Author}} {{.Config.Env}}", name)
    wrong = stage.run("commit", "-c", "BREW tea", stage.name("no-such"), "a")
    return committed, ran, shown, wrong, stage.run("rmi", name).code


@SCENES.scene_alone
def plugin_made_of_a_folder(stage: Stage):
    """Two of the same content at once, and the engine has one of them only."""
    name = stage.name("plugin")
    interface = {"types": ["docker.volumedriver/1.0"], "socket": "no.sock"}
    config = {"description": "none", "entrypoint": ["/no"], "interface": interface}
    with TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(json.dumps(config))
        (Path(folder) / "rootfs").mkdir()
        (Path(folder) / "rootfs" / "no").write_bytes(BIG[:1_000_000])
        made = stage.run("plugin", "create", name, folder)
    if "not found" in made.err:
        raise NotHereError("this engine has no plugins")
    shown = stage.run("plugin", "ls", "--format", "{{.Name}} {{.Enabled}}")
    inspected = stage.run("plugin", "inspect", "-f", "{{.Config.Description}}", name)
    assert inspected.out == "none\n"
    return (
        *(made, f"{name}:latest false\n" in shown.out, inspected),
        *(stage.run("plugin", "disable", name), stage.run("plugin", "rm", name)),
        stage.run("plugin", "inspect", name),
    )
