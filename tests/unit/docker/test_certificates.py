"""Where the docker command's certificates are looked for."""

from __future__ import annotations

import os
from pathlib import Path

from waitforweave.docker.certificates import default_folder

NOBODY = 4_000_000


def test_the_variables_come_before_the_home():
    named = {"DOCKER_CERT_PATH": "/certs", "DOCKER_CONFIG": "/config"}
    assert default_folder(named) == Path("/certs")
    assert default_folder({"DOCKER_CONFIG": "/config"}) == Path("/config")


def test_who_has_no_home_has_them_where_he_is(monkeypatch):
    """As `docker run --user 4000000` has neither HOME nor a line in passwd."""
    monkeypatch.setenv("HOME", "/home/me")
    assert default_folder({}) == Path("/home/me/.docker")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: NOBODY)
    assert default_folder({}) == Path(".docker")
