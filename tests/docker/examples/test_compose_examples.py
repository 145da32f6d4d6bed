"""The compose files of docs/examples, by a real docker-compose."""

from __future__ import annotations

from tests.docker.examples.conftest import Compose


def test_two_gated_services(busybox, gated):
    with Compose(gated, "compose") as compose:
        up = compose("up", "-d")
        assert up.code == 0, up.err
        said = compose.logs_to_the_end("client").splitlines()
        # Its first line was written with the network there; the last is the server's hostname.
        assert "10.2.1.2/24" in said[0]
        assert said[-1] == compose.container("server")[:12]


# The gate off, the watcher would be in time nevertheless, most often: so nobody attaches these.
NOBODY = ("run", "-d", "--no-deps", "-e", "WEAVE_CIDR=none")


def test_without_its_address_the_server_of_two_services_ends(busybox, engine):
    with Compose(engine, "compose") as compose:
        container = compose(*NOBODY, "server").out.strip()
        assert engine.docker("wait", container).out != "0\n"
        assert "Cannot assign requested address" in engine.docker("logs", container).err


def test_several_interfaces(busybox, gated):
    with Compose(gated, "interfaces") as compose:
        up = compose("up", "-d")
        assert up.code == 0, up.err
        said = compose.logs_to_the_end("router")
        assert "10.2.1.1/24" in said
        assert "10.2.2.1/24" in said
        assert " eth0 " in said
        assert "224.0.0.0/4 dev ethwe" in said


def test_a_database_that_must_bind_its_address(redis, gated):
    with Compose(gated, "database") as compose:
        up = compose("up", "-d")
        assert up.code == 0, up.err
        assert compose.logs_to_the_end("client").splitlines()[-1] == "hello"


def test_without_its_address_the_database_ends(redis, engine):
    with Compose(engine, "database") as compose:
        container = compose(*NOBODY, "database").out.strip()
        assert engine.docker("wait", container).out == "1\n"
        logs = engine.docker("logs", container)
        assert "Could not create server TCP listening socket 10.2.1.5:6379" in logs.out
