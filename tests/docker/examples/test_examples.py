"""The other files of docs/examples: Kubernetes, systemd, CI, CNI, and several hosts."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.docker.examples.conftest import EXAMPLES, shell
from tests.netns.attach.contract.rigs import DEBIANS_PLUGINS
from tests.support import fake_weave
from tests.support.launched import ROOT


def pod() -> Any:
    """The pod of the Kubernetes example."""
    documents = list(yaml.safe_load_all((EXAMPLES / "kubernetes" / "pod.yml").read_text()))
    assert [document["kind"] for document in documents] == ["NetworkAttachmentDefinition", "Pod"]
    return documents[1]


def test_the_pods_manifest_is_valid():
    kubernetes_validate.validate(pod(), "1.31", strict=True)
    wrong = pod()
    wrong["spec"]["containers"][0]["volumeMounts"][0]["mountpath"] = "/gate"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.31", strict=True)


def test_the_pods_networks_are_what_multus_reads():
    """Multus' own kind is not among Kubernetes' schemas: its parts are looked at one by one."""
    definition, _ = yaml.safe_load_all((EXAMPLES / "kubernetes" / "pod.yml").read_text())
    config = json.loads(definition["spec"]["config"])
    assert [plugin["type"] for plugin in config["plugins"]] == ["bridge"]
    (network,) = json.loads(pod()["metadata"]["annotations"]["k8s.v1.cni.cncf.io/networks"])
    assert network["name"] == definition["metadata"]["name"]
    assert network["interface"] == "ethwe"
    env = {each["name"]: each["value"] for each in pod()["spec"]["containers"][0]["env"]}
    assert network["ips"] == [env["WEAVE_CIDR"]]


def test_the_pods_containers_one_after_the_other(busybox, volume_image, engine):
    """As the kubelet starts them, with a volume that they share; the network comes later."""
    spec = pod()["spec"]
    (gate,), (app,) = spec["initContainers"], spec["containers"]
    assert spec["volumes"][0]["name"] == gate["volumeMounts"][0]["name"]
    limits = ["--cap-drop=ALL", "--security-opt=no-new-privileges"]
    mount = f"--volume=wfw-pod:{gate['volumeMounts'][0]['mountPath']}"
    program, *words = gate["command"]
    first = ["--rm", "--read-only", mount, f"--entrypoint={program}", gate["image"], *words]
    engine.docker("run", *limits, *first)
    program, *words = app["command"]
    variables = [f"--env={each['name']}={each['value']}" for each in app["env"]]
    second = ["--detach", "--network=none", f"{mount}:ro", *variables, f"--entrypoint={program}"]
    container = engine.docker(
        "run", *limits, *second, app["image"], *words, *app["args"]
    ).out.strip()
    attached = shell(engine, f"weavewait attach --engine {engine.url} 10.2.1.5/24 {container}")
    assert attached.code == 0, attached.err
    assert engine.docker("wait", container).out == "0\n"
    logs = engine.docker("logs", container)
    assert "10.2.1.5/24" in logs.out
    assert all(json.loads(line)["event"] in ("waiting", "ready") for line in logs.err.splitlines())
    engine.docker("rm", container)
    engine.docker("volume", "rm", "wfw-pod")
    shell(engine, f"weavewait detach --all --engine {engine.url}")


def test_systemd_takes_the_units(tmp_path):
    """systemd-analyze verify knows the settings, and looks whether the programs are there."""
    for unit in sorted((EXAMPLES / "systemd").glob("*.service")):
        text = unit.read_text().replace("/usr/local/bin/weavewait", "/bin/true")
        # The engine's unit is not on this machine.
        (tmp_path / unit.name).write_text(text)
    (tmp_path / "docker.service").write_text("[Service]\nExecStart=/bin/true\n")
    units = sorted(str(path) for path in tmp_path.glob("weavewait-*"))
    assert len(units) == 2
    environ = {**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"}
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "weavewait" in line]
    assert ours == []
    # It would have said so.
    (tmp_path / "weavewait-hooks.service").write_text("[Service]\nTypo=yes\nExecStart=/bin/true\n")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", units[0]],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Typo" in done.stderr


def test_what_systemd_starts_works_together(busybox, engine, volume_image):
    """Both ExecStart lines, with the example's adapters.yml, on the engine's machine."""
    starts = [
        re.findall(r"^ExecStart=/usr/local/bin/(.+)$", path.read_text(), re.MULTILINE)[0]
        for path in sorted((EXAMPLES / "systemd").glob("*.service"))
    ]
    script = "\n".join(
        [
            "mkdir -p /run/weavewait",
            *(f'{words} & pids="$pids $!"' for words in starts),
            "trap 'kill $pids; wait' EXIT",
            # Both say on stderr when they listen; their sockets are what there is to see.
            "until test -S /run/weavewait/hooks.sock -a -S /run/weavewait/docker.sock; do",
            "usleep 20000; done",
            "export DOCKER_HOST=unix:///run/weavewait/docker.sock",
            "docker run --rm -e WEAVE_CIDR=10.2.1.5/24 busybox ip -4 -o addr show ethwe",
            "docker rm -v weavewait >/dev/null",
        ]
    ).replace("/etc/weavewait/adapters.yml", str(EXAMPLES / "systemd" / "adapters.yml"))
    done = shell(engine, script.replace("usleep", "busybox usleep"))
    assert done.code == 0, done.err
    assert "10.2.1.5/24" in done.out


def image_archive(engine: Any, folder: Path) -> str:
    """What a release's archive is to a job: an image, under a name that is not yet latest."""
    archive = folder / "weavewait.image.tar.gz"
    engine.docker("tag", "weavewait:latest", "weavewait:released")
    engine.docker("save", "-o", str(archive), "weavewait:released")
    engine.docker("rmi", "weavewait:released", "weavewait:latest")
    return str(archive)


def test_github_job(busybox, volume_image, engine, tmp_path):
    jobs = yaml.safe_load((EXAMPLES / "ci" / "github.yml").read_text())["jobs"]
    steps = [step["run"] for step in jobs["test"]["steps"] if "run" in step]
    archive = image_archive(engine, tmp_path)
    # What a step puts into GITHUB_ENV, the next one has in its environment.
    lines = [f". {tmp_path}/env; export DOCKER_HOST; {step}" for step in steps]
    (tmp_path / "env").touch()
    done = shell(
        engine,
        "\n".join(lines),
        WEAVEWAIT_ARCHIVE=archive,
        GITHUB_ENV=f"{tmp_path}/env",
    )
    shell(engine, "weavewait stop")
    assert done.code == 0, done.err
    assert "10.2.1.5/24" in done.out


def test_gitlab_job(busybox, volume_image, engine, tmp_path):
    job = yaml.safe_load((EXAMPLES / "ci" / "gitlab.yml").read_text())["network"]
    archive = image_archive(engine, tmp_path)
    # The runner runs the first two in one shell, and the last in another.
    done = shell(
        engine, "\n".join([*job["before_script"], *job["script"]]), WEAVEWAIT_ARCHIVE=archive
    )
    after = shell(engine, "\n".join(job["after_script"]))
    assert (done.code, after.code) == (0, 0), done.err + after.err
    assert "10.2.1.5/24" in done.out
    assert engine.docker("ps", "-aq").out == ""


def test_a_network_of_cni_plugins(engine, busybox):
    options = f"--backend cni --cni-config {EXAMPLES}/cni --cni-path {DEBIANS_PLUGINS}"
    container = engine.docker("run", "-d", "busybox", "sleep", "1000").out.strip()
    try:
        done = shell(engine, f"weavewait attach {options} 10.2.1.5/24 {container}")
        assert done.code == 0, done.err
        shown = engine.docker("exec", container, "ip", "addr", "show", "ethwe").out
        assert "10.2.1.5/24" in shown
        assert "mtu 1376" in shown
    finally:
        engine.docker("rm", "-f", container)
        shell(engine, f"weavewait detach --all {options}; ip link del cni-ethwe")


def test_several_hosts_with_weave_net(engine, volume_image, tmp_path):
    """`weave` is our stand-in: what is shown is which words it gets from the example."""
    folder = tmp_path / "weave"
    url = "unix:///var/run/docker.sock"
    program = fake_weave.install(folder, url, {})
    environ = {fake_weave.FOLDER: str(folder)}
    weave = f"PATH={program}:$PATH; export DOCKER_HOST={url};"
    done = shell(engine, f"{weave} {EXAMPLES}/multi-host/up.sh", **environ)
    stopped = shell(engine, f"{weave} weavewait stop", **environ)
    assert (done.code, stopped.code) == (0, 0), done.err + stopped.err
    assert done.out == "export DOCKER_HOST=unix:///run/weavewait/docker.sock\n"
    assert fake_weave.calls(folder)[:2] == [["status"], ["status"]]
    (folder / "reset").touch()
    refused = shell(engine, f"{weave} {EXAMPLES}/multi-host/up.sh", **environ)
    assert refused.code == 1
    assert "up.sh: Weave Net does not run here: weave launch" in refused.err


def test_each_example_is_named_in_the_table():
    table = (EXAMPLES / "README.md").read_text()
    for path in EXAMPLES.iterdir():
        if path.is_dir():
            assert f"]({path.name}/)" in table, path.name
    assert ROOT.joinpath("docs/examples/README.md").exists()
