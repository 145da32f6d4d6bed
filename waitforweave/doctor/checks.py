"""What the facts say about engine, launch and client, and what to do. Pure."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from waitforweave.docker.reason import NEEDS_TLS
from waitforweave.docker.url import same_engine
from waitforweave.doctor.check import (
    Check,
    brought_back,
    docker,
    log_of,
    ok,
    problem,
    typed,
    unseen,
)
from waitforweave.doctor.checks_host import host_checks
from waitforweave.doctor.facts import Answer, Client, Facts, Socket, Unseen
from waitforweave.doctor.leftovers import leftovers
from waitforweave.launch.containers import HOOKS_CONTAINER, PROXY_CONTAINER
from waitforweave.launch.settings import Settings

# Hook server and engine compare their times; more than a round trip is a clock that is wrong.
CLOCK_SECONDS = 2.0
DENIED = os.strerror(errno.EACCES)
# OpenSSL's word for an answer that is no TLS.
NO_TLS = "wrong version number"


def checks(facts: Facts) -> list[Check]:
    """All of it, in the order in which one thing needs the other."""
    found = [engine(facts), *sockets(facts), launch(facts)]
    found += [*volume(facts), *server(facts), *proxies(facts), *versions(facts)]
    found += [client(facts), *clock(facts), *host_checks(facts)]
    return [*found, *leftovers(facts)]


def engine(facts: Facts) -> Check:
    seen = facts.engine
    if seen.fault:
        todo = "start it (systemctl start docker), or name another by --engine"
        if is_about_tls(seen.fault):
            todo = tls_todo(seen.fault)
        elif facts.socket is not None and (not facts.socket.usable or facts.socket.kind == "other"):
            todo = "see the next line"
        return problem("engine", seen.fault, todo)
    return ok("engine", f"Docker Engine {seen.version}, API {seen.api}, at {seen.url}")


def is_about_tls(fault: str) -> bool:
    return "TLS: " in fault or NEEDS_TLS in fault


def tls_todo(fault: str) -> str:
    """For engine and client alike: what the one's options say, the other's variables do."""
    if NEEDS_TLS in fault:
        return (
            "name the folder of ca.pem, cert.pem and key.pem: DOCKER_TLS_VERIFY=1 "
            "DOCKER_CERT_PATH=DIR; for --engine also --engine-tlsverify --engine-cert-path=DIR"
        )
    if NO_TLS in fault:
        return "who listens there speaks without TLS: unset DOCKER_TLS_VERIFY DOCKER_TLS"
    return (
        "ca.pem must be of the authority of who listens there, cert.pem and key.pem of one that it "
        "believes; docs/errors.md, under TLS, has each reason"
    )


def context_todo(seen: Client) -> str:
    """A context has certificates of its own, and heeds no variable."""
    name, files = seen.source.split()[-1], ",ca=ca.pem,cert=cert.pem,key=key.pem"
    speaks = "" if NO_TLS in seen.fault else files
    return f"docker context update {name} --docker host={seen.url}{speaks}"


def sockets(facts: Facts) -> Iterator[Check]:
    if facts.socket is not None:
        yield socket(facts.socket)


def socket(seen: Socket) -> Check:
    """The engine's socket, by its rights."""
    rights = f"{seen.owner}:{seen.group}, mode {seen.mode:04o}"
    if seen.kind == "absent":
        todo = "start the engine, or name its socket by --engine"
        return problem("socket", f"{seen.path} is not there", todo)
    if seen.kind == "other":
        todo = "name the engine's socket by --engine; or remove it, and start the engine"
        return problem("socket", f"{seen.path} is no socket ({rights})", todo)
    if not seen.usable:
        todo = "become root"
        if seen.group not in ("", "root"):
            todo = f"usermod -aG {seen.group} {seen.user} and log in again, or become root"
        return problem("socket", f"{seen.user} may not use {seen.path} ({rights})", todo)
    if seen.mode & 0o002:
        said = f"everybody on this host may use {seen.path} ({rights}), and so become root"
        return problem("socket", said, f"chmod o-rwx {seen.path}")
    return ok("socket", f"{seen.path} is {rights}; {seen.user} may use it")


def launch(facts: Facts) -> Check:
    seen, url = facts.launch, facts.engine.url
    if seen.fault:
        # `stop` would say the same.
        return problem("launch", seen.fault, f"do what that says, then {typed('launch', url)}")
    if seen.settings is None:
        if facts.engine.fault:
            return unseen("launch", Unseen("the engine does not answer"))
        todo = typed("launch", url)
        if isinstance(facts.host, Unseen) or facts.engine.tls:
            # launch speaks no TLS: its parts stand beside the engine.
            todo = "weavewait launch, on the engine's own host"
        return problem("launch", f"nothing is launched for {url}", todo)
    ended = [name for name, runs in seen.parts if not runs]
    if ended:
        log = log_of(seen, url, ended[0])
        # Read first: what brings the part back begins its log anew.
        todo = f"{log}; {typed('launch', url)} with the same options brings it back"
        return problem("launch", f"not running: {', '.join(ended)}", todo)
    way = "processes of this host" if seen.host_process else "containers"
    return ok("launch", f"{' and '.join(name for name, _ in seen.parts)} run, as {way}")


def volume(facts: Facts) -> Iterator[Check]:
    seen, url = facts.volume, facts.engine.url
    if seen is None or (not seen.there and facts.launch.settings is None):
        return
    if not seen.there:
        todo = f"{typed('launch', url)} makes it again, and so does the next gated create"
        yield problem("volume", "the volume container weavewait is not there", todo)
    elif seen.fault:
        todo = f"{docker('rm -v weavewait', url)}, make image, and launch again"
        yield problem("volume", f"the gate in weavewait does not run: {seen.fault}", todo)
    else:
        yield ok("volume", f"weavewait is there, and the gate in it runs ({seen.gate})")


def server(facts: Facts) -> Iterator[Check]:
    seen, url = facts.server, facts.engine.url
    if isinstance(seen, Unseen):
        yield unseen("hooks", seen)
    if facts.server_fault:
        back = brought_back(facts.launch, url, HOOKS_CONTAINER)
        todo = f"{log_of(facts.launch, url)}; {back}"
        yield problem("hooks", facts.server_fault, todo)
    if seen is None or isinstance(seen, Unseen):
        return
    if not seen.following:
        said = "it answers, but does not follow the engine's events: restarts are not attached"
        yield problem("hooks", said, f"it tries again by itself; {log_of(facts.launch, url)}")
    else:
        yield ok("hooks", "the hook server answers, and follows the engine's events")
    if seen.failed:
        todo = f"weavewait explain {seen.failed[0]}" + url_option(url)
        yield problem("attached", f"could not be attached: {', '.join(seen.failed)}", todo)


def url_option(url: str) -> str:
    return typed("", url).removeprefix("weavewait ")


def proxies(facts: Facts) -> Iterator[Check]:
    """Each address on which the launch's proxy shall be found."""
    url = facts.engine.url
    again = brought_back(facts.launch, url, PROXY_CONTAINER)
    for seen in facts.proxies:
        answer = seen.answer
        if DENIED in seen.fault:
            todo = "stop, and launch with --listen in a folder that it may enter; or become root"
            yield problem("proxy", f"this user may not reach {seen.url}: {seen.fault}", todo)
        elif seen.fault:
            yield problem("proxy", f"{seen.url} does not answer: {seen.fault}", again)
        elif isinstance(answer, Answer) and not answer.version:
            todo = f"see who listens there; {again}"
            yield problem("proxy", f"who answers at {seen.url} is not our proxy", todo)
        elif isinstance(answer, Answer):
            yield ok("proxy", f"{seen.url} is our proxy")


def versions(facts: Facts) -> Iterator[Check]:
    """Tool, gate, hook server and proxy are of one version."""
    found = {"this tool": facts.ours}
    if facts.volume is not None and facts.volume.gate:
        found["the gate"] = facts.volume.gate
    if facts.server is not None and not isinstance(facts.server, Unseen):
        found["the hook server"] = facts.server.version or "an older one"
    for seen in facts.proxies:
        if isinstance(seen.answer, Answer) and seen.answer.version:
            found["the proxy"] = seen.answer.version
    if len(found) == 1:
        return
    if len(set(found.values())) == 1:
        yield ok("versions", f"{facts.ours}: {', '.join(found)}")
        return
    url = facts.engine.url
    said = ", ".join(f"{name} is {version}" for name, version in found.items())
    todo = (
        f"make image; {typed('launch --replace', url)}, with the options of before: gated "
        "containers keep gate and network"
    )
    yield problem("versions", said, todo)


def client(facts: Facts) -> Check:
    """Whether this shell's docker client goes through us."""
    seen, settings = facts.client, facts.launch.settings
    if isinstance(seen.answer, Unseen):
        return unseen("client", Unseen(f"{named(seen)}: {seen.answer.why}"))
    way = way_to(facts, settings)
    if is_about_tls(seen.fault):
        todo = tls_todo(seen.fault)
        if seen.source != "DOCKER_HOST":
            todo = context_todo(seen)
        return problem("client", f"{named(seen)}; {seen.fault}", todo)
    if DENIED in seen.fault:
        where = f"{named(seen)}, which this user may not reach: {seen.fault}"
        return problem("client", where, "become a member of its group (ls -l), or root")
    if seen.fault:
        where = f"{named(seen)}, where nobody answers: {seen.fault}"
        return problem("client", where, way)
    if seen.answer.version:
        if not same_engine(seen.answer.engine, facts.engine.url):
            said = f"{named(seen)}, which is our proxy, but for {seen.answer.engine}"
            return problem("client", said, f"{way}; or --engine {seen.answer.engine}")
        return ok("client", f"{named(seen)}, which is our proxy")
    if settings is None:
        return ok("client", f"{named(seen)}, where no proxy of ours is")
    said = f"{named(seen)}, past our proxy: what this shell creates is not gated"
    return problem("client", said, way)


def named(seen: Client) -> str:
    return f"{seen.source} names {seen.url or 'nothing that is there'}"


def way_to(facts: Facts, settings: Settings | None) -> str:
    if settings is not None and facts.client.url in settings.listen:
        return brought_back(facts.launch, facts.engine.url, PROXY_CONTAINER)
    if settings is not None:
        return f"export DOCKER_HOST={settings.listen[0]}"
    if facts.client.source == "DOCKER_HOST":
        return f"unset DOCKER_HOST, or {typed('launch', facts.engine.url)}"
    return "start the engine there, or choose another (docker context use)"


def clock(facts: Facts) -> Iterator[Check]:
    if facts.engine.fault:
        return
    off = facts.engine.clock
    if abs(off) < CLOCK_SECONDS:
        yield ok("clock", f"the engine's and ours differ by less than {CLOCK_SECONDS:.0f} s")
        return
    which = "ahead of" if off > 0 else "behind"
    todo = "set both by NTP (timedatectl set-ntp true)"
    yield problem("clock", f"the engine's is {abs(off):.1f} s {which} ours", todo)
