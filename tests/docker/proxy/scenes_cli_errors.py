"""What the docker client says of each kind of error, by the engine's own words."""

from __future__ import annotations

from tests.docker.proxy.scenes import IMAGE, RUN, Scenes, Stage

SCENES = Scenes()


@SCENES.scene
def not_found(stage: Stage):
    none = stage.name("no-such")
    calls = "start stop kill restart rm logs top port inspect diff pause unpause wait attach "
    calls += "export rmi history save"
    said = [stage.run(call, none) for call in calls.split()]
    said += [stage.run("commit", none, "a"), stage.run("rename", none, "a")]
    assert all(each.code and none in each.err for each in said)
    return said


@SCENES.scene
def conflict(stage: Stage):
    name = stage.name("twice")
    with stage.container("--name", name, IMAGE, "sleep", "1000"):
        said = [
            stage.run("create", "--name", name, IMAGE),
            stage.run(*RUN, "--name", name, IMAGE, "true"),
            stage.run("rm", name),
            stage.run("rmi", IMAGE),
            stage.run("unpause", name),
        ]
    assert all(each.code for each in said)
    assert "is already in use" in said[0].err
    return said


@SCENES.scene
def bad_request(stage: Stage):
    words = (
        ("--name", "bad name"),
        ("--memory=1",),
        ("--cpus=10000",),
        ("--network=container:no-such",),
        ("--ipc=no-such",),
        ("--pid=container:",),
        ("--device=/no/such",),
        ("--security-opt=no-such=1",),
        ("--runtime=no-such",),
        ("--volumes-from=no-such",),
        ("--mount=type=bind,src=/no/such,dst=/a",),
        ("-v", "/a:relative"),
        ("--restart=no-such",),
        ("--rm", "--restart=always"),
        ("--sysctl=no.such=1",),
        ("--stop-signal=NOSUCH",),
        ("--workdir=relative",),
    )
    said = [stage.run("run", "-d", *options, IMAGE, "true") for options in words]
    refused = [each.code for each in said]
    # Not all engines refuse the same; what some start has to go.
    for each in said:
        made = each.out.strip()
        if made:
            stage.docker("rm", "-f", made)
    assert refused.count(125) > len(words) / 2
    return said


@SCENES.scene
def no_command(stage: Stage):
    name = stage.name("empty")
    # An image of its own: one that several names have may go with another's `rmi`.
    dockerfile = f"FROM scratch\nLABEL a={stage.tag}\n".encode()
    stage.docker("build", "-q", "-t", name, "-", stdin=dockerfile)
    said = stage.run("create", name)
    ran = stage.run(*RUN, name, "sh")
    stage.docker("rmi", name)
    assert (said.code, ran.code) == (1, 127)
    return said, ran


@SCENES.scene
def entrypoints(stage: Stage):
    said = [
        stage.run(*RUN, "--entrypoint", "", IMAGE, "echo", "a b"),
        stage.run(*RUN, "--entrypoint", "", IMAGE),
        stage.run(*RUN, "--entrypoint", "echo", IMAGE, "-n", "a  b"),
        stage.run(*RUN, "--entrypoint", "no-such", IMAGE),
        stage.run(*RUN, IMAGE, ""),
    ]
    assert [each.code for each in said[2:4]] == [0, 127]
    assert said[0].out == "a b\n"
    return said


@SCENES.scene
def odd_words(stage: Stage):
    words = ("", "a  b", "ünïcödé", "<&>", "\\u003c", '"', "$HOME", "*", "\t", "日本", "'")
    said = stage.run(*RUN, "-e", "A=<&>é", IMAGE, "sh", "-c", 'env | grep ^A; echo "$@"', *words)
    assert said.out == "A=<&>é\n" + " ".join(words[1:]) + "\n"
    return said


@SCENES.scene
def large_requests(stage: Stage):
    """A body of 2 MB, and a head of 20 KB: filters stand in the query."""
    # The client reads lines of at most 64 KB.
    labels = "".join(f"a{number}={'x' * 50_000}\n" for number in range(40)).encode()
    made = stage.run("create", "--label-file", "/dev/stdin", IMAGE, "true", stdin=labels)
    container = made.out.strip()
    shown = stage.run("inspect", "-f", "{{len .Config.Labels.a39}}", container)
    assert shown.out == "50000\n"
    removed = stage.run("rm", container)
    filters = [word for n in range(500) for word in ("--filter", f"label={'y' * 20}{n}")]
    return made, shown, removed, stage.run("ps", *filters)
