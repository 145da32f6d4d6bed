"""The backend `cni`: whatever a chain of CNI plugins makes, which is how clusters attach.

What was made for whom is written down before it is made: with the configuration that it was made
with, since DEL and CHECK want that one, whatever the file says by then.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from waitforweave.attach import cni_run, netns
from waitforweave.attach.backend import AttachError, Container
from waitforweave.attach.check import addresses_inside, answers, require_ready
from waitforweave.attach.cni_config import Chain, Json, load
from waitforweave.attach.cni_run import LIMIT_SECONDS, Runtime, find_plugin
from waitforweave.attach.links import index_of, kernel_errors
from waitforweave.attach.lock import alone, forget
from waitforweave.attach.netns import Run
from waitforweave.attach.options import Options, Place
from waitforweave.attach.pair import INTERFACE, foreign_interface
from waitforweave.attach.records import Records
from waitforweave.gate.weave_cidr import ADDRESS, Wanted

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attached:
    """One container's record. `namespace` is the inode of its network namespace; `result` the
    chain's, None until it is there."""

    pid: int
    namespace: int
    chain: Json
    ips: tuple[str, ...]
    path: str
    result: Json | None = None
    addresses: tuple[str, ...] = ()

    @classmethod
    def read(cls, record: dict[str, Any]) -> Attached:
        lists = {name: tuple(record[name]) for name in ("ips", "addresses")}
        return cls(**{**record, **lists})

    @property
    def network(self) -> Chain:
        return Chain(**{**self.chain, "plugins": tuple(self.chain["plugins"])})


class CniBackend:
    """`seconds` is how long one plugin may take."""

    by_process = True

    def __init__(self, place: Place, options: Options, *, seconds: float = LIMIT_SECONDS) -> None:
        self.place = place
        self.options = options
        self.seconds = seconds
        self.records = Records(place.state / "cni")

    def prepare(self) -> None:
        """See Backend.prepare: nothing is made; the configuration is read, the plugins found."""
        for program in load(self.options.cni_config).programs():
            find_plugin(program, self.options.cni_path)

    def attach(self, container: Container, wanted: Sequence[Wanted]) -> tuple[str, ...]:
        """See Backend.attach."""
        if not wanted:
            return ()
        with (
            kernel_errors(INTERFACE),
            alone(self.place.state, container.id),
            netns.held(container) as namespace,
            netns.entered(namespace) as inside,
        ):
            inode = os.fstat(namespace).st_ino
            there = inside(partial(index_of, INTERFACE)) is not None
            before = self.recorded(container.id)
            if before is not None and before.namespace == inode and there and before.result:
                return self.again(wanted, inside)
            if before is not None:
                # Of its last run, or of an attach that was killed.
                path = path_of(namespace) if before.namespace == inode else ""
                self.delete(container.id, before, path)
            elif there:
                raise foreign_interface()
            chain = load(self.options.cni_config)
            ips = tuple(word.text for word in wanted if word.kind == ADDRESS)
            new = Attached(container.pid, inode, asdict(chain), ips, self.options.cni_path)
            return self.add(container.id, new, wanted, inside, path_of(namespace))

    def again(self, wanted: Sequence[Wanted], inside: Run) -> tuple[str, ...]:
        """A chain is run once for an interface, and gives all addresses then."""
        try:
            inside(partial(require_ready, wanted))
        except AttachError as error:
            raise AttachError(f"{error}; a CNI chain gives all at once: detach first") from error
        return answers(wanted, inside(addresses_inside))

    def add(
        self, id_: str, new: Attached, wanted: Sequence[Wanted], inside: Run, path: str
    ) -> tuple[str, ...]:
        with ExitStack() as undo:
            # Before the record: DEL of what was never added is no error.
            undo.callback(self.take_back, id_, new, path)
            self.records.write(id_, asdict(new))
            result = self.run_chain(id_, new, path)
            inside(partial(require_ready, wanted))
            have = inside(addresses_inside)
            done = replace(new, result=result, addresses=tuple(map(str, have)))
            self.records.write(id_, asdict(done))
            cidrs = answers(wanted, have)
            undo.pop_all()
        return cidrs

    def run_chain(self, id_: str, new: Attached, path: str) -> Json:
        """ADD of all plugins. They may refuse an address, and not know whose it is."""
        try:
            return cni_run.add(new.network, self.runtime(id_, new, path))
        except AttachError as error:
            raise AttachError(str(error) + self.held_by_another(id_, new.ips)) from error

    def held_by_another(self, id_: str, ips: Sequence[str]) -> str:
        """Which of these our records give to another container, as words after a refusal."""
        with suppress(AttachError):  # Of a record that cannot be read; the refusal counts more.
            for holder, addresses in self.list().items():
                for taken in sorted({*ips} & {*addresses}) if holder != id_ else ():
                    return f"; address {taken} already in use by {holder[:12]}"
        return ""

    def take_back(self, id_: str, new: Attached, path: str) -> None:
        """The way back of an attach that failed. The error that leads here is the one to be told;
        what could not be taken back stays in the records."""
        try:
            self.delete(id_, new, path)
        except AttachError as error:
            log.warning("%s: %s", id_[:12], error)

    def delete(self, id_: str, attached: Attached, path: str) -> None:
        result = cni_run.moved(attached.result, path)
        cni_run.delete(attached.network, self.runtime(id_, attached, path), result)
        self.records.remove(id_)

    def check(self, container: Container, wanted: Sequence[Wanted]) -> None:
        """See Backend.check: also what the plugins themselves say."""
        if not wanted:
            return
        with kernel_errors(INTERFACE), netns.held(container) as namespace:
            netns.run_inside(namespace, partial(require_ready, wanted))
            attached = self.recorded(container.id)
            if attached is None or attached.result is None:
                raise AttachError(f"{INTERFACE} is not from this backend")
            path = path_of(namespace)
            result = cni_run.moved(attached.result, path)
            cni_run.check(attached.network, self.runtime(container.id, attached, path), result)

    def detach(self, container_id: str) -> tuple[str, ...]:
        """See Backend.detach."""
        with kernel_errors(INTERFACE), alone(self.place.state, container_id):
            attached = self.recorded(container_id)
            if attached is None:
                return ()
            with namespace_of(container_id, attached) as path:
                self.delete(container_id, attached, path)
        return attached.addresses

    def expose(self, wanted: Sequence[Wanted]) -> tuple[str, ...]:
        """See Backend.expose: CNI has no such thing."""
        raise AttachError(
            "the backend cni cannot expose the host: whether it reaches the containers is the "
            'plugins\' affair (of the plugin bridge: "isGateway")'
        )

    def hide(self, wanted: Sequence[Wanted] = ()) -> tuple[str, ...]:
        """See Backend.hide: nothing is ever exposed."""
        return ()

    def list(self) -> Mapping[str, tuple[str, ...]]:
        """See Backend.list."""
        with kernel_errors(INTERFACE):
            found = {key: self.recorded(key) for key in self.records.holders()}
        return {key: attached.addresses for key, attached in found.items() if attached}

    def remove_all(self) -> None:
        """See Backend.remove_all: what the plugins share (their bridge, say) is theirs."""
        errors = []
        for container in self.list():
            try:
                self.detach(container)
            except AttachError as error:
                errors.append(str(error))
        if errors:
            raise AttachError("; ".join(errors))
        self.records.forget()
        forget(self.place.state)

    def recorded(self, id_: str) -> Attached | None:
        record = self.records.read(id_)
        try:
            return None if record is None else Attached.read(record)
        except (TypeError, KeyError) as error:
            raise AttachError(f"{self.records.path(id_)} is not what we wrote: {error}") from error

    def runtime(self, id_: str, attached: Attached, path: str) -> Runtime:
        return Runtime(id_, path, INTERFACE, attached.ips, attached.path, self.seconds)


def path_of(namespace: int) -> str:
    """A path by which a plugin opens the namespace that we hold: not /proc/PID/ns/net, which may
    be another process' by the time that the plugin comes to it."""
    return f"/proc/{os.getpid()}/fd/{namespace}"


@contextmanager
def namespace_of(container_id: str, attached: Attached) -> Iterator[str]:
    """The path of the namespace that the chain was added to; "" where it is gone."""
    with ExitStack() as stack:
        try:
            fd = stack.enter_context(netns.held(Container(container_id, attached.pid)))
        except AttachError:
            yield ""
            return
        yield path_of(fd) if os.fstat(fd).st_ino == attached.namespace else ""
