"""What each container of a launch may do and sees."""

from __future__ import annotations

import dataclasses

import pytest

from waitforweave.launch import containers
from waitforweave.launch.settings import LaunchError, Settings

ONE = Settings(
    "unix:///run/e/engine.sock", ("unix:///run/w/d.sock",), "bridge", "10.32.0.0/12", "weavewait:1"
)


def with_listen(*urls: str) -> Settings:
    return dataclasses.replace(ONE, listen=urls)


@pytest.mark.parametrize("body", [containers.hooks_body(ONE), containers.proxy_body(ONE)])
def test_no_program_has_a_right_that_is_not_listed(body):
    host = body["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert host["ReadonlyRootfs"] is True
    assert "Privileged" not in host
    assert "no-new-privileges" in host["SecurityOpt"]


def test_the_hook_server_sees_the_hosts_network_and_processes():
    host = containers.hooks_body(ONE)["HostConfig"]
    assert (host["NetworkMode"], host["PidMode"]) == ("host", "host")
    assert host["CapAdd"] == ["NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE"]
    assert "/run/e/engine.sock:/run/e/engine.sock" in host["Binds"]


def test_the_proxy_has_no_network_when_all_its_addresses_are_sockets():
    assert containers.proxy_body(ONE)["HostConfig"]["NetworkMode"] == "none"
    tcp = with_listen("unix:///run/w/d.sock", "tcp://127.0.0.1:2375")
    assert containers.proxy_body(tcp)["HostConfig"]["NetworkMode"] == "host"


def test_the_proxy_sees_the_folder_of_each_of_its_sockets_once():
    two = with_listen("unix:///run/w/d.sock", "unix:///run/w/e.sock")
    binds = containers.proxy_body(two)["HostConfig"]["Binds"]
    assert binds.count("/run/w:/run/w") == 1
    assert "/run/e/engine.sock:/run/e/engine.sock" in binds


def test_an_engine_socket_in_a_mounted_folder_is_not_mounted_again():
    beside = with_listen("unix:///run/e/ours.sock")
    binds = containers.proxy_body(beside)["HostConfig"]["Binds"]
    assert "/run/e:/run/e" in binds
    assert not [bind for bind in binds if "engine.sock" in bind]


def test_a_socket_in_the_root_folder_is_refused():
    with pytest.raises(LaunchError, match="name a folder below it"):
        containers.proxy_body(with_listen("unix:///ours.sock"))


@pytest.mark.parametrize("backend", ["weave", "cni"])
def test_what_runs_the_hosts_programs_is_refused_in_a_container(backend):
    with pytest.raises(LaunchError, match=f"the backend {backend} cannot run in .* --host-process"):
        containers.require_contained(dataclasses.replace(ONE, backend=backend))
    containers.require_contained(ONE)


def test_hook_server_and_cleaner_have_the_networks_words():
    other = dataclasses.replace(ONE, network=("--mtu=1376", "--no-multicast-route"))
    for body in (containers.hooks_body(other), containers.cleaner_body(other)):
        assert {"--backend=bridge", "--mtu=1376", "--no-multicast-route"} <= set(body["Cmd"])


def test_the_cleaner_has_the_hook_servers_rights_and_does_not_come_back():
    hooks, cleaner = containers.hooks_body(ONE), containers.cleaner_body(ONE)
    assert cleaner["Cmd"][:2] == ["detach", "--all"]
    assert cleaner["HostConfig"]["RestartPolicy"] == {}
    same = ("CapAdd", "CapDrop", "NetworkMode", "PidMode", "Binds", "SecurityOpt")
    assert [cleaner["HostConfig"][key] for key in same] == [
        hooks["HostConfig"][key] for key in same
    ]
