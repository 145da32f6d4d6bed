"""Third-party adapters around the real engine's calls: what they see, change and break."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support import images
from tests.support.engine import PrivateEngine
from tests.support.proxied import (
    Adapter,
    Hook,
    Message,
    Proxy,
    adapter,
    changed,
    proxy,
    unchanged,
)

IMAGE = images.BUSYBOX
RUN = ("run", "--rm", "--net=none")
CREATE = "POST /*/containers/create"
START = "POST /*/containers/*/start"


@contextmanager
def proxied(
    engine, folder: Path, rules: str, **hooks: Hook
) -> Iterator[tuple[Proxy, list[Adapter]]]:
    """A proxy with these endpoints, in YAML, and an adapter of each name."""
    with ExitStack() as stack:
        adapters = {name: stack.enter_context(adapter(hook)) for name, hook in hooks.items()}
        urls = {name: there.url for name, there in adapters.items()}
        config = f"endpoints: {rules}\nadapters: {json.dumps(urls)}\n"
        running = stack.enter_context(proxy(folder / "p", engine.url, config))
        yield running, list(adapters.values())


def with_env(name: str) -> Hook:
    """An adapter that gives containers a variable NAME=1, whose value tells what was there."""

    def hook(message: Message) -> tuple[int, Message]:
        body = json.loads(message["ClientRequest"]["Body"])
        body["Env"] = [*(body.get("Env") or []), f"{name}={len(body.get('Env') or [])}"]
        return changed(message, Body=json.dumps(body))

    return hook


def names_of(engine: PrivateEngine, name: str) -> list[str]:
    words = ("ps", "-a", "--filter", f"name={name}", "--format", "{{.Names}}")
    return engine.docker(*words).out.split()


def wait_for_start(engine, container: str) -> None:
    """Until the engine's events say that the container has started."""
    words = (
        "events",
        "--since",
        "0",
        "--filter",
        f"container={container}",
        "--filter",
        "event=start",
    )
    with subprocess.Popen(
        ["docker", *words], env=engine.environment(), stdout=subprocess.PIPE
    ) as events:
        assert events.stdout is not None
        assert events.stdout.readline()
        events.kill()


def test_a_pre_hook_changes_what_is_created_and_a_rule_that_matched_is_logged(engine, tmp_path):
    rules = f'{{"{CREATE}": {{pre: [a]}}}}'
    with proxied(engine, tmp_path, rules, a=with_env("ADDED")) as (client, (a,)):
        result = client.docker(*RUN, IMAGE, "sh", "-c", "echo $ADDED")
        assert result.out == "0\n"
        assert client.log().count(f'containers/create matches "{CREATE}"') == 1
    assert [message["Type"] for message in a.asked] == ["pre-hook"]
    request = a.asked[0]["ClientRequest"]
    assert request["Method"] == "POST"
    assert request["Request"].endswith("/containers/create")
    assert json.loads(request["Body"])["Image"] == IMAGE


def test_each_adapter_gets_what_the_one_before_gave_across_rules_in_file_order(engine, tmp_path):
    rules = f'{{"{CREATE}": {{pre: [a, b]}}, "POST /*/create": {{pre: [a]}}}}'
    hooks = {"a": with_env("A"), "b": with_env("B")}
    with proxied(engine, tmp_path, rules, **hooks) as (client, _):
        script = "env | grep -E '^[AB]=' | sort"
        words = ("create", "--name", "chained", IMAGE, "sh", "-c", script)
        client.docker(*words)
    try:
        shown = engine.docker("inspect", "-f", "{{json .Config.Env}}", "chained").out
    finally:
        engine.docker("rm", "chained")
    assert [entry for entry in json.loads(shown) if entry[0] in "AB"] == ["A=0", "B=1", "A=2"]


def test_the_query_may_be_changed(engine, tmp_path):
    def rename(message: Message) -> tuple[int, Message]:
        request = message["ClientRequest"]["Request"]
        return changed(message, Request=request.replace("name=asked", "name=given"))

    with proxied(engine, tmp_path, f'{{"{CREATE}": {{pre: [a]}}}}', a=rename) as (client, _):
        client.docker("create", "--name", "asked", IMAGE)
    assert names_of(engine, "asked") == []
    assert names_of(engine, "given") == ["given"]
    engine.docker("rm", "given")


def test_a_post_hook_holds_the_start_until_it_answers(engine, tmp_path):
    may_answer = threading.Event()

    def hold(message: Message) -> tuple[int, Message]:
        may_answer.wait(30)
        return unchanged(message)

    with proxied(engine, tmp_path, f'{{"{START}": {{post: [a]}}}}', a=hold) as (client, (a,)):
        container = client.docker("create", "--net=none", IMAGE, "sleep", "1000").out.strip()
        starter = threading.Thread(target=client.docker, args=("start", container))
        starter.start()
        # The engine has started it: that is what a post-hook is called for.
        wait_for_start(engine, container)
        assert starter.is_alive()
        may_answer.set()
        starter.join(30)
        assert not starter.is_alive()
        assert a.asked[0]["ServerResponse"] == {"ContentType": None, "Body": None, "Code": 204}
    engine.docker("rm", "-f", container)


def test_post_hooks_see_the_engines_error_and_may_make_something_else_of_it(engine, tmp_path):
    def forgive(message: Message) -> tuple[int, Message]:
        said = json.loads(message["ServerResponse"]["Body"])["message"]
        body = json.dumps({"message": f"forgiven: {said}"})
        return changed(message, Code=418, Body=body)

    with proxied(engine, tmp_path, f'{{"{START}": {{post: [a]}}}}', a=forgive) as (client, (a,)):
        result = client.docker("start", "no-such", check=False)
    assert a.asked[0]["ServerResponse"]["Code"] == 404
    assert "forgiven: No such container: no-such" in result.err
    assert result.code == 1


def test_a_failing_hook_ends_the_chain_and_its_body_reaches_the_client(engine, tmp_path):
    # Powerstrip went on after a 500 (powerstrip#78).
    def refuse(message: Message) -> tuple[int, Message]:
        return 409, {"message": "not on my watch"}

    rules = f'{{"{CREATE}": {{pre: [a, b], post: [b]}}}}'
    with proxied(engine, tmp_path, rules, a=refuse, b=unchanged) as (client, (a, b)):
        result = client.docker("create", "--name", "refused", IMAGE, check=False)
    assert result.code == 1
    assert result.err.strip() == "Error response from daemon: not on my watch"
    assert (len(a.asked), b.asked) == (1, [])
    assert names_of(engine, "refused") == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/v1/extension", "cannot be reached: "),
        ("unix:///no/such.sock", "cannot be reached: "),
    ],
)
def test_a_dead_adapter_is_named_and_nothing_is_created(engine, tmp_path, url, reason):
    config = f'endpoints: {{"{CREATE}": {{pre: [dead]}}}}\nadapters: {{dead: "{url}"}}\n'
    with proxy(tmp_path / "p", engine.url, config) as client:
        result = client.docker("create", "--name", "orphan", IMAGE, check=False)
    assert result.code == 1
    assert f"adapter dead ({url}) {reason}" in result.err
    assert names_of(engine, "orphan") == []


def test_an_adapter_that_talks_nonsense_is_named(engine, tmp_path):
    def mumble(message: Message) -> tuple[int, Message]:
        return 200, {"PowerstripProtocolVersion": 1, "ModifiedClientRequest": {"Method": "POST"}}

    with proxied(engine, tmp_path, f'{{"{CREATE}": {{pre: [a]}}}}', a=mumble) as (client, (a,)):
        result = client.docker("create", "--name", "orphan", IMAGE, check=False)
    assert f"adapter a ({a.url}) answered nonsense: " in result.err
    assert "`Request`" in result.err
    assert names_of(engine, "orphan") == []


def test_bodies_that_are_no_json_pass_without_hooks(engine, tmp_path):
    rules = '{"POST /*/images/create": {pre: [a]}, "POST /*/images/load": {pre: [a], post: [a]}}'
    with proxied(engine, tmp_path, rules, a=unchanged) as (client, (a,)):
        client.docker("import", "-", "no-json", stdin=images.busybox_root())
        engine.docker("rmi", "no-json")
        assert a.asked == []
        assert "its body is no JSON" in client.log()


def test_an_endpoint_without_its_version_needs_a_rule_of_its_own(engine, tmp_path):
    version = engine.docker("version", "--format", "{{.Server.APIVersion}}").out.strip()
    with proxied(engine, tmp_path, f'{{"{CREATE}": {{pre: [a]}}}}', a=unchanged) as (client, (a,)):
        transport = httpx.HTTPTransport(uds=str(client.socket))
        with httpx.Client(transport=transport, base_url="http://docker") as api:
            assert api.post("/containers/create", json={"Image": "no-such"}).status_code == 404
            assert a.asked == []
            path = f"/v{version}/containers/create"
            assert api.post(path, json={"Image": "no"}).status_code == 404
            assert len(a.asked) == 1
