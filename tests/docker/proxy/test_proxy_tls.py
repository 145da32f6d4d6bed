"""TLS with what Docker speaks it with: the docker command, the proxy, and dockerd, each of which
must show the others a certificate."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import images
from tests.support.certificates import Authority, listener_words
from tests.support.docker_cli import DockerCli, Result
from tests.support.engine import PrivateEngine
from tests.support.launched import WEAVEWAIT
from tests.support.proxied import NO_HOOKS, proxy

RUN = ("run", "-i", "--rm", "--net=none", images.BUSYBOX)


@dataclass
class Secured(DockerCli):
    """The docker command in the network of an engine that listens with TLS, and a proxy there."""

    engine: PrivateEngine
    folder: Path
    url: str

    def environment(self, **more: str) -> dict[str, str]:
        certificates = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(self.folder)}
        return super().environment(**{**certificates, **more})

    def straight(self) -> Secured:
        return Secured(self.engine, self.folder, "tcp://127.0.0.1:2376")

    def told(self, *words: str, stdin: bytes = b"", **env: str) -> Result:
        done = subprocess.run(
            [*in_network(self.engine), "docker", *words],
            input=stdin,
            capture_output=True,
            env=self.environment(**env),
            timeout=60,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def in_network(engine: PrivateEngine) -> list[str]:
    return ["nsenter", f"--net=/proc/{engine.init.pid}/ns/net", "--"]


@pytest.fixture(scope="module")
def secured(tmp_path_factory) -> Iterator[Secured]:
    folder = Authority().folder(tmp_path_factory.mktemp("tls") / "ours")
    tls = listener_words(folder)
    args = ["--host=tcp://127.0.0.1:2376", "--tlsverify", *tls]
    with PrivateEngine(dockerd_args=args) as engine:
        images.import_image(engine, images.BUSYBOX, cmd=["sh"])
        words = ["--listen=tcp://127.0.0.1:2377", *tls]
        words += ["--engine-tlsverify", f"--engine-cert-path={folder}"]
        there = tmp_path_factory.mktemp("p") / "p"
        with proxy(there, "tcp://127.0.0.1:2376", NO_HOOKS, *words, below=in_network(engine)):
            yield Secured(engine, folder, "tcp://127.0.0.1:2377")


@pytest.mark.parametrize(
    ("words", "stdin"),
    [
        (("version", "--format", "{{.Server.Version}}"), b""),
        ((*RUN, "cat"), b"stdin\n"),
        ((*RUN, "cat"), b""),
        ((*RUN, "wc", "-c"), b"x" * (8 << 20)),
        # Its output comes after its input has ended.
        ((*RUN, "sh", "-c", "cat > /f; echo begin; sleep 0.1; wc -c < /f; exit 3"), b"a" * 70000),
        # Its output ends before its input does.
        ((*RUN, "sh", "-c", "exec >&- 2>&-; cat >/dev/null; exit 4"), b"a" * 70000),
        ((*RUN, "sh", "-c", "dd if=/dev/zero bs=1M count=8 2>/dev/null | tr '\\0' x"), b""),
        (("import", "-", "piped"), images.busybox_root()),
        (("rm", "no-such"), b""),
    ],
)
def test_as_straight_to_the_engine(secured, words, stdin):
    through, straight = (each.told(*words, stdin=stdin) for each in (secured, secured.straight()))
    if words[0] != "import":  # Whose output has the time in it, hashed.
        assert through == straight
    assert through.code == straight.code


def test_exec_with_stdin(secured):
    container = secured.engine.docker("run", "-d", "--net=none", images.BUSYBOX, "sleep", "1000")
    name = container.out.strip()
    try:
        assert secured.told("exec", "-i", name, "cat", stdin=b"a\nb\n") == Result(0, "a\nb\n", "")
    finally:
        secured.engine.docker("rm", "-f", name)


def test_a_client_without_a_certificate_is_refused_by_the_proxy(secured, tmp_path):
    (tmp_path / "ca.pem").write_bytes((secured.folder / "ca.pem").read_bytes())
    said = secured.told("version", DOCKER_CERT_PATH=str(tmp_path))
    assert said.code == 1
    assert "tls: certificate required" in said.err or "tls: bad certificate" in said.err


def test_a_client_without_tls_is_told_what_to_do(secured):
    words = ["docker", "-H", secured.url, "ps"]
    done = subprocess.run(
        [*in_network(secured.engine), *words], capture_output=True, env=os.environ, check=False
    )
    assert done.returncode == 1
    assert b"Client sent an HTTP request to an HTTPS server." in done.stderr


def doctor(secured: Secured, *words: str, **env: str) -> dict[str, tuple[str, str]]:
    """What it says of this client's way and of dockerd's TLS port: state and words, by name."""
    more = {"DOCKER_HOST": secured.url, **env}
    typed = ["doctor", "--json", "--engine=tcp://127.0.0.1:2376", *words]
    done = subprocess.run(
        [*in_network(secured.engine), *WEAVEWAIT, *typed],
        capture_output=True,
        env={**secured.environment(), **more},
        check=False,
    )
    assert done.stderr == b""
    checks = json.loads(done.stdout)["checks"]
    return {check["name"]: (check["state"], check["said"]) for check in checks}


def test_doctor_asks_engine_and_proxy_by_tls(secured):
    found = doctor(secured)
    version = secured.straight().told("version", "--format", "{{.Server.Version}}").out.strip()
    state, said = found["engine"]
    assert (state, said.split(",")[0]) == ("ok", f"Docker Engine {version}")
    assert found["client"] == ("ok", f"DOCKER_HOST names {secured.url}, which is our proxy")


def test_doctor_tells_who_has_no_certificates(secured):
    found = doctor(secured, DOCKER_TLS_VERIFY="")
    needs = "Client sent an HTTP request to an HTTPS server"
    assert found["client"] == ("problem", f"DOCKER_HOST names {secured.url}; TLS: {needs}")
    assert found["engine"][0] == "problem"
    assert needs in found["engine"][1]
    options = ("--engine-tlsverify", f"--engine-cert-path={secured.folder}")
    assert doctor(secured, *options, DOCKER_TLS_VERIFY="")["engine"][0] == "ok"
