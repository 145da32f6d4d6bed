"""The backend `weave`: the real command `weave`, which carries the network across hosts.

What it makes and remembers is its own. Of ours is a record of whom we had attached, so that
we never take away what somebody else made, and the way back of an attach that failed.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from pyroute2 import IPRoute

from waitforweave.attach import command, netns
from waitforweave.attach.backend import HOST, AttachError, Container
from waitforweave.attach.check import addresses_inside, answer_to, answers, require_ready
from waitforweave.attach.command import Done, inherited, one_line
from waitforweave.attach.links import Interface, find_link, kernel_errors
from waitforweave.attach.lock import alone, forget
from waitforweave.attach.options import Options, Place
from waitforweave.attach.pair import INTERFACE, foreign_interface
from waitforweave.attach.records import Record, Records
from waitforweave.gate.weave_cidr import Wanted

log = logging.getLogger(__name__)

LIMIT_SECONDS = 20.0
BRIDGE = "weave"
# What it says (2.8) of a container from which there is nothing to take any more.
GONE = re.compile(
    r"No such container|^container \S+ not running$|Link not found|^bridge \S+ not present",
    re.MULTILINE,
)


class WeaveBackend:
    """`seconds` is how long one call of `weave` may take."""

    # The command asks the engine for the process.
    by_process = False

    def __init__(self, place: Place, options: Options, *, seconds: float = LIMIT_SECONDS) -> None:
        self.place = place
        self.options = options
        self.seconds = seconds
        self.records = Records(place.state / "weave")

    def prepare(self) -> None:
        """See Backend.prepare: nothing is made, but whether Weave runs is asked (weave#1542)."""
        self.weave("status")

    def attach(self, container: Container, wanted: Sequence[Wanted]) -> tuple[str, ...]:
        """See Backend.attach."""
        if not wanted:
            return ()
        require_ipv4(wanted)
        with (
            kernel_errors(INTERFACE),
            alone(self.place.state, container.id),
            netns.held(container) as namespace,
            netns.entered(namespace) as inside,
            ExitStack() as undo,
        ):
            inside(require_weaves_own)
            before = inside(addresses_inside)
            undo.callback(self.restore, container.id, self.records.read(container.id))
            undo.callback(self.take_back, "detach", [container.id], wanted, before)
            flags = [] if self.options.multicast_route else ["--no-multicast-route"]
            self.weave("attach", *flags, *words_of(wanted), container.id)
            inside(partial(require_ready, wanted))
            cidrs = self.remember(container.id, wanted, inside(addresses_inside))
            undo.pop_all()
        return cidrs

    def remember(
        self, holder: str, wanted: Sequence[Wanted], have: Sequence[Interface]
    ) -> tuple[str, ...]:
        """Who has which addresses; those that answer to the words, in their order."""
        self.records.write(holder, {"addresses": [str(each) for each in have]})
        return answers(wanted, have)

    def restore(self, holder: str, record: Record | None) -> None:
        if record is None:
            self.records.remove(holder)
        else:
            self.records.write(holder, record)

    def take_back(
        self, verb: str, holder: list[str], wanted: Sequence[Wanted], before: Sequence[Interface]
    ) -> None:
        """The way back of an attach or expose: what was there before stays. The error that leads
        here is the one to be told."""
        new = [word for word in wanted if answer_to(word, before) is None]
        words = words_of(new) if before else []
        if before and not words:
            return
        try:
            self.gone(verb, *words, *holder)
        except AttachError as error:
            # Often it only says again what was wrong with a word.
            log.info("way back of %s: %s", holder[0][:12] if holder else HOST, error)

    def check(self, container: Container, wanted: Sequence[Wanted]) -> None:
        """See Backend.check."""
        if not wanted:
            return
        with kernel_errors(INTERFACE), netns.held(container) as namespace:
            netns.run_inside(namespace, partial(require_ready, wanted))

    def detach(self, container_id: str) -> tuple[str, ...]:
        """See Backend.detach."""
        with kernel_errors(INTERFACE), alone(self.place.state, container_id):
            record = self.records.read(container_id) or {"addresses": []}
            printed = self.gone("detach", container_id)
            self.records.remove(container_id)
        return tuple(record["addresses"]) or printed

    def expose(self, wanted: Sequence[Wanted]) -> tuple[str, ...]:
        """See Backend.expose."""
        require_ipv4(wanted)
        with kernel_errors(BRIDGE), alone(self.place.state, HOST), ExitStack() as undo:
            before = addresses_of_host()
            undo.callback(self.restore, HOST, self.records.read(HOST))
            undo.callback(self.take_back, "hide", [], wanted, before)
            self.weave("expose", *words_of(wanted))
            cidrs = self.remember(HOST, wanted, addresses_of_host())
            undo.pop_all()
        return cidrs

    def hide(self, wanted: Sequence[Wanted] = ()) -> tuple[str, ...]:
        """See Backend.hide: what somebody else exposed is hidden only when it is named."""
        with kernel_errors(BRIDGE), alone(self.place.state, HOST):
            if not wanted and self.records.read(HOST) is None:
                return ()
            before = addresses_of_host()
            self.gone("hide", *words_of(wanted))
            after = addresses_of_host()
            if not after:
                self.records.remove(HOST)
        return tuple(str(each) for each in before if each not in after)

    def list(self) -> Mapping[str, tuple[str, ...]]:
        """See Backend.list: whom we attached; what others did with `weave` is theirs."""
        with kernel_errors(BRIDGE):
            found = {key: self.records.read(key) for key in self.records.holders()}
        return {
            key: tuple(record["addresses"])
            for key, record in found.items()
            if record is not None and key != HOST
        }

    def remove_all(self) -> None:
        """See Backend.remove_all. Weave itself goes on."""
        for container in self.list():
            self.detach(container)
        self.hide()
        self.records.forget()
        forget(self.place.state)

    def gone(self, *words: str) -> tuple[str, ...]:
        """A call that takes something away, which may be gone already; what it prints."""
        done = self.call(*words)
        if done.code != 0 and not GONE.search(done.err):
            raise failure(words[0], done)
        return tuple(done.out.split()) if done.code == 0 else ()

    def weave(self, *words: str) -> None:
        """A call that has to succeed. AttachError, in Weave's words."""
        done = self.call(*words)
        if done.code != 0:
            raise failure(words[0], done)

    def call(self, *words: str) -> Done:
        program = shutil.which(self.options.weave)
        if program is None:
            raise AttachError(
                f"there is no command {self.options.weave} to run; Weave Net has to be installed "
                "on this host, and --weave may name its command"
            )
        environ = inherited(DOCKER_HOST=self.place.engine)
        return command.run([program, *words], environ, self.seconds)


def failure(verb: str, done: Done) -> AttachError:
    said = one_line(done.err) or one_line(done.out) or "it said nothing"
    return AttachError(f"weave {verb}: {said} (exit code {done.code})")


def words_of(wanted: Sequence[Wanted]) -> list[str]:
    """As `weave` reads them: the same words, each checked by our own grammar."""
    return [word.text for word in wanted]


def require_ipv4(wanted: Sequence[Wanted]) -> None:
    for word in wanted:
        if ":" in word.text.removeprefix("net:"):
            raise AttachError(f"{word.text}: Weave Net has no IPv6; the backend bridge has")


def require_weaves_own() -> None:
    """Inside: an `ethwe` that is there is a veth, as Weave makes them. AttachError."""
    with IPRoute() as inside:
        link = find_link(inside, INTERFACE)
    if link is not None and link.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND") != "veth":
        raise foreign_interface()


def addresses_of_host() -> list[Interface]:
    """What Weave's bridge has, none where there is no such bridge."""
    return addresses_inside(BRIDGE)
