"""The engine's other things: networks, volumes, images, info, df, prune, swarm, a registry; and
the docker client at old and new versions of the API."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from tests.docker.proxy.scenes import IMAGE, RUN, Scenes, Stage
from tests.support.docker_cli import Result

SCENES = Scenes()
# Nobody listens there: what the engine says of it is its own.
NO_REGISTRY = "127.0.0.1:1"


@SCENES.scene
def networks(stage: Stage):
    name = stage.name("net")
    created = stage.run("network", "create", "--internal", "--label", "a=b", name)
    try:
        with stage.container("--name", stage.name("on"), IMAGE, "sleep", "1000") as container:
            stage.docker("network", "disconnect", "none", container)
            words = ("network", "connect", "--alias", "other", name, container)
            connected = stage.run(*words)
            used = stage.run("network", "rm", name)
            shown = stage.run("inspect", "-f", "{{len .NetworkSettings.Networks}}", container)
            assert (connected.code, shown.out) == (0, "1\n")
            left = stage.run("network", "disconnect", name, container)
        facts = stage.run("network", "inspect", "-f", "{{.Driver}} {{.Internal}} {{.Labels}}", name)
        assert facts.out == "bridge true map[a:b]\n"
        listed = stage.run("network", "ls", "--filter", f"name={name}", "--format", "{{.Name}}")
    finally:
        removed = stage.run("network", "rm", name)
    return created, connected, used.code, shown, left, facts, listed, removed


@SCENES.scene
def networks_that_fail(stage: Stage):
    said = [
        stage.run("network", "create", "bridge"),
        # The engine looks for 15 s for a plugin of this name: a long quiet call.
        stage.run("network", "create", "-d", "no-such-driver", stage.name("a")),
        stage.run("network", "create", "--subnet", "no subnet", stage.name("a")),
        stage.run("network", "rm", "bridge"),
        stage.run("network", "rm", stage.name("no-such")),
        stage.run("network", "connect", stage.name("no-such"), stage.name("nor-this")),
        stage.run(*RUN[:2], "--net", stage.name("no-such"), IMAGE, "true"),
    ]
    assert all(each.code for each in said)
    return said


@SCENES.scene
def two_containers_that_talk_by_name(stage: Stage):
    name = stage.name("talk")
    stage.docker("network", "create", "--internal", name)
    try:
        words = ("run", "-d", "--net", name, "--network-alias=server", IMAGE)
        server = stage.docker(*words, "sh", "-c", "while :; do echo hello | nc -l -p 80; done")
        try:
            ask = "until nc server 80 </dev/null 2>/dev/null; do usleep 50000; done"
            said = stage.run("run", "--rm", "--net", name, IMAGE, "sh", "-c", ask)
            assert said.out == "hello\n"
            return said
        finally:
            stage.docker("rm", "-f", server.out.strip())
    finally:
        stage.docker("network", "rm", name)


@SCENES.scene
def volumes(stage: Stage):
    name = stage.name("volume")
    created = stage.run("volume", "create", "--label", "a=b", name)
    written = stage.run(*RUN, "-v", f"{name}:/v", IMAGE, "sh", "-c", "echo kept > /v/f")
    read = stage.run(*RUN, "-v", f"{name}:/v:ro", IMAGE, "sh", "-c", "cat /v/f; touch /v/g")
    assert read.out == "kept\n"
    shown = stage.run("volume", "inspect", "-f", "{{.Name}} {{.Driver}} {{.Labels}}", name)
    listed = stage.run("volume", "ls", "-q", "--filter", f"name={name}")
    removed = stage.run("volume", "rm", name)
    return [
        *(created, written, read, shown, listed, removed),
        stage.run("volume", "rm", name),
        stage.run("volume", "create", "bad/name"),
    ]


@SCENES.scene
def images(stage: Stage):
    name = stage.name("image")
    tagged = stage.run("tag", IMAGE, f"{name}:one")
    again = stage.run("tag", IMAGE, f"{name}:two")
    listed = stage.run("images", "--format", "{{.Repository}}:{{.Tag}}", name)
    assert set(listed.out.split()) == {f"{name}:one", f"{name}:two"}
    return [
        *(tagged, again, sorted(listed.out.split())),
        stage.run("images", "-q", "--filter", f"reference={name}:one"),
        stage.run("history", "-q", f"{name}:one"),
        stage.run("image", "inspect", "-f", "{{.Config.Cmd}} {{.Size}}", f"{name}:one"),
        *(stage.run("rmi", f"{name}:one", f"{name}:two"), stage.run("rmi", f"{name}:one")),
        *(stage.run("tag", IMAGE, "BAD NAME"), stage.run("tag", f"{name}:one", "a")),
    ]


@SCENES.scene
def a_registry_that_is_not_there(stage: Stage):
    name = f"{NO_REGISTRY}/{stage.name('none')}"
    said = [stage.run("pull", name), stage.run(*RUN, name), stage.run("create", name)]
    # weave#967: the engine's own 404 makes the client pull.
    assert all("127.0.0.1:1" in each.err for each in said)
    assert "Unable to find image" in said[1].err
    never = stage.run(*RUN, "--pull=never", name)
    assert never.code == 125
    return said, never


@SCENES.scene
def version_and_info(stage: Stage):
    said = [
        stage.run("version"),
        stage.run("version", "--format", "{{json .Server}}"),
        stage.run("info", "--format", "{{.ServerVersion}} {{.Driver}} {{.OSType}} {{.NCPU}}"),
        stage.run("info", "--format", "{{json .Plugins}} {{json .RegistryConfig}}"),
    ]
    assert json.loads(said[1].out)["ApiVersion"]
    return said


@SCENES.scene
def swarm_that_is_not(stage: Stage):
    calls = ("node ls", "service ls", "stack ps a", "secret ls", "config ls", "swarm leave")
    said = [stage.run(*call.split()) for call in (*calls, "swarm join-token worker")]
    said.append(stage.run("service", "create", IMAGE))
    assert all(each.code for each in said)
    return said


def at_version(stage: Stage, version: str) -> list[object]:
    """Some of all: streams, an upgrade, a tar, an error."""
    env = {"DOCKER_API_VERSION": version}

    def run(*words: str, stdin: bytes | None = None) -> Result:
        return stage.run(*words, stdin=stdin, env=env)

    first = run("version", "--format", "{{.Client.APIVersion}}")
    name = stage.name("versioned")
    said = [
        run("run", "-i", "--name", name, "--net=none", IMAGE, "cat", stdin=b"in" * 1000),
        *(run("start", "-ai", name, stdin=b"again"), run("logs", name), run("ps", "-aqf", name)),
        *(run("cp", f"{name}:/bin/sh", "-"), run("inspect", "-f", "{{.Name}}", name)),
        *(run("wait", name), run("rm", name), run("rm", name), run("run", "--rm", "no such")),
        run("build", "-q", "-", stdin=f"FROM {IMAGE}\nENV A={stage.tag}\n".encode()),
    ]
    assert said[0].out == "in" * 1000 or "too old" in said[0].err
    return [first, *said]


@SCENES.scene
def oldest_version_of_the_api(stage: Stage):
    return at_version(stage, "1.24")


@SCENES.scene
def newest_version_of_the_api(stage: Stage):
    newest = stage.docker("version", "--format", "{{.Server.APIVersion}}").out.strip()
    return newest, at_version(stage, newest)


@SCENES.scene
def version_of_the_api_that_is_not(stage: Stage):
    said = stage.run("ps", env={"DOCKER_API_VERSION": "9.99"})
    assert "too new" in said.err
    return said


@SCENES.scene_alone
def disk_usage(stage: Stage):
    with stage.container("--label", "a=b", IMAGE, "sh", "-c", "echo a > /f") as container:
        stage.docker("wait", container)
        said = stage.run("system", "df")
        assert "Local Volumes" in said.out
        every = stage.run("system", "df", "-v", "--format", "{{json .Images}}")
        # How old each is, is another number a moment later; nor have they an order.
        images = sorted(json.loads(every.out), key=lambda image: image["ID"])
        ages = ("CreatedSince", "CreatedAt")
        shown = [{key: image[key] for key in image if key not in ages} for image in images]
        assert shown
        return said, shown, stage.run("system", "df", "--format", "{{.Type}} {{.TotalCount}}")


@SCENES.scene_alone
def prune(stage: Stage):
    """Each kind, and all at once: by a label, lest it takes along what others want."""
    label = f"pruned={stage.tag}"
    mine = ("--filter", f"label={label}")
    stage.docker("create", "--label", label, IMAGE, "true")
    stage.docker("volume", "create", "--label", label, stage.name("pruned"))
    stage.docker("network", "create", "--internal", "--label", label, stage.name("pruned"))
    dockerfile = f"FROM {IMAGE}\nLABEL {label}\n".encode()
    stage.docker("build", "-q", "-t", stage.name("pruned"), "-", stdin=dockerfile)
    kinds = (("container",), ("network",), ("image", "-a"), ("volume", "-a"))
    said = [stage.run(kind, "prune", "-f", *more, *mine) for kind, *more in kinds]
    if said[3].code:  # Clients and engines before API 1.42: named volumes, too, without -a.
        said[3] = stage.run("volume", "prune", "-f", *mine)
    assert all(each.code == 0 for each in said)
    assert "Total reclaimed space" in said[0].out
    assert stage.name("pruned") in said[1].out
    assert f"untagged: {stage.name('pruned')}:latest" in said[2].out
    # containerd's store has an image's description compressed: the tag's letters count.
    said[2] = replace(said[2], out=re.sub(r"space: \d[\d.]*\w?B", "space: SIZE", said[2].out))
    stage.docker("create", "--label", label, IMAGE, "true")
    both = stage.run("system", "prune", "-f", *mine)
    assert "Deleted Containers" in both.out
    return said, both, stage.run("system", "prune", "-f", "--filter", "no-such=1")


@SCENES.scene_alone
def info_of_all(stage: Stage):
    said = stage.run("info", "--format", "{{.Containers}} {{.Images}} {{json .Swarm}}")
    assert int(said.out.split()[0]) >= 0
    return said, stage.run("ps", "-aq"), stage.run("images", "-aq"), stage.run("volume", "ls", "-q")
