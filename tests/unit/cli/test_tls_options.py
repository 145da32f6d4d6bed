"""Which options about TLS go together, and which of the docker command's variables count."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import click
import pytest

from tests.support.certificates import Authority
from waitforweave.cli.tls_options import TlsOptions
from waitforweave.docker.url import EngineUrl
from waitforweave.proxy.certificates import CertificateError
from waitforweave.proxy.server import Secured

UNIX = EngineUrl("unix", path="/run/docker.sock")
TCP = EngineUrl("tcp", host="127.0.0.1", port=2376)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return Authority().folder(tmp_path_factory.mktemp("tls") / "ours")


def clients(folder: Path) -> dict[str, Any]:
    names = {"tlscacert": "ca.pem", "tlscert": "cert.pem", "tlskey": "key.pem"}
    return {option: folder / name for option, name in names.items()}


def secured(engine: EngineUrl = UNIX, *, on_tcp: bool = True, environ=None, **given) -> Secured:
    return TlsOptions(**given).secured(engine, on_tcp=on_tcp, environ=environ or {})


def test_nothing_asked_for_is_no_tls():
    assert secured(UNIX) == secured(TCP) == Secured(None, None)


def test_clients_need_a_certificate(folder):
    context = secured(**clients(folder)).clients
    assert context is not None
    assert context.verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize("given", ["tlscacert", "tlscert", "tlskey"])
def test_two_of_three_files_are_refused(folder, given):
    files = clients(folder)
    del files[given]
    with pytest.raises(click.UsageError, match=f"TLS for clients needs --{given} too"):
        secured(**files)


def test_one_of_three_files_is_refused_and_both_others_named(folder):
    with pytest.raises(click.UsageError, match="needs --tlscacert, --tlskey too"):
        secured(tlscert=folder / "cert.pem")


def test_with_and_without_tls_at_once_is_refused(folder):
    with pytest.raises(click.UsageError, match="--tlscacert and --insecure contradict"):
        secured(insecure=True, **clients(folder))


def test_tls_that_no_client_would_get_is_refused(folder):
    with pytest.raises(click.UsageError, match="TLS is for clients on TCP"):
        secured(on_tcp=False, **clients(folder))


@pytest.mark.parametrize(
    "given",
    [{"engine_tls": True}, {"engine_tlsverify": True}, {"engine_cert_path": Path("/certs")}],
)
def test_tls_to_a_unix_socket_is_refused(given):
    with pytest.raises(
        click.UsageError,
        match=r"TLS is for an engine on tcp://, and this is unix:///run/docker\.sock",
    ):
        secured(UNIX, **given)


def test_the_environment_may_be_about_another_engine():
    environ = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/none"}
    assert secured(UNIX, environ=environ) == Secured(None, None)


def test_a_folder_alone_does_not_say_what_it_is_for(folder):
    with pytest.raises(click.UsageError, match="needs --engine-tlsverify or --engine-tls too"):
        secured(TCP, engine_cert_path=folder)


def test_as_for_the_docker_command_it_may_in_the_environment(folder):
    assert secured(TCP, environ={"DOCKER_CERT_PATH": str(folder)}) == Secured(None, None)


@pytest.mark.parametrize(
    ("given", "environ", "verifies"),
    [
        ({"engine_tlsverify": True}, {}, True),
        ({"engine_tls": True}, {}, False),
        ({"engine_tls": True, "engine_tlsverify": True}, {}, True),
        ({"engine_tls": True}, {"DOCKER_TLS_VERIFY": "1"}, True),
        ({}, {"DOCKER_TLS_VERIFY": "0"}, True),
        ({}, {"DOCKER_TLS_VERIFY": "", "DOCKER_TLS": "1"}, False),
    ],
)
def test_who_says_that_the_engine_is_verified(folder, given, environ, verifies):
    there = {**environ, "DOCKER_CERT_PATH": str(folder)}
    context = secured(TCP, environ=there, **given).engine
    assert context is not None
    assert context.check_hostname is verifies
    assert (context.verify_mode == ssl.CERT_REQUIRED) is verifies


def test_the_folder_is_the_options_or_the_environments_or_the_docker_commands(
    tmp_path, monkeypatch
):
    def looked_at(**more) -> str:
        """The file that is missing."""
        with pytest.raises(CertificateError) as raised:
            secured(TCP, engine_tlsverify=True, **more)
        return str(raised.value).partition(": ")[0]

    monkeypatch.setenv("HOME", str(tmp_path))
    assert looked_at() == f"{tmp_path}/.docker/ca.pem"
    environ = {"DOCKER_CONFIG": "/config"}
    assert looked_at(environ=environ) == "/config/ca.pem"
    environ["DOCKER_CERT_PATH"] = "/path"
    assert looked_at(environ=environ) == "/path/ca.pem"
    assert looked_at(environ=environ, engine_cert_path=Path("/option")) == "/option/ca.pem"
