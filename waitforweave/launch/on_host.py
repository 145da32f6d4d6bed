"""The parts as processes of this host: started, known again by pid and start time, ended."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil

from waitforweave import whole_file
from waitforweave.launch.settings import (
    NETWORK,
    LaunchError,
    Settings,
    Tell,
    adapters_yml,
    clean_up_words,
    engine_key,
    proxy_words,
    serve_words,
)

RUN_FOLDER = Path("/run/weavewait")
STATE_FOLDER = Path("/var/lib/weavewait")
READY_SECONDS = 20.0
END_SECONDS = 10.0
# The words of a part, held until whoever starts it has noted its pid: it ends with him, not begun.
HELD = 'read -r _ && exec "$@" </dev/null'
# Hooks first: the proxy calls them.
HOOKS, PROXY = PARTS = ("hooks", "proxy")


class Process(msgspec.Struct, frozen=True):
    """A process that we started; a pid alone may be somebody else's by now (pipework#204)."""

    pid: int
    created: float


class Record(msgspec.Struct, frozen=True):
    """launch.json: what runs on this host for one engine."""

    settings: str
    processes: dict[str, Process]


@dataclass(frozen=True)
class Folders:
    """Where the processes for one engine keep their things."""

    run: Path
    state: Path

    @classmethod
    def of(cls, engine: str) -> Folders:
        key = engine_key(engine)
        return cls(RUN_FOLDER / key, STATE_FOLDER / key)

    @property
    def record(self) -> Path:
        return self.run / "launch.json"

    @property
    def hooks_url(self) -> str:
        return f"unix://{self.run}/hooks.sock"


def program() -> list[str]:
    """The words that run `weavewait` again: this very one, frozen or not."""
    if getattr(sys, "frozen", False):
        # lib/weavewait is the loader, which our launcher starts (build/launcher.c).
        return [str(Path(sys.executable).parents[1] / "weavewait")]
    return [sys.executable, "-m", "waitforweave.cli.main"]


def recorded(engine: str) -> Record | None:
    """What was launched on this host for this engine, or None."""
    try:
        return msgspec.json.decode(Folders.of(engine).record.read_bytes(), type=Record)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise LaunchError(
            f"{Folders.of(engine).record} cannot be read: {error}; end the processes that it is "
            "about (weavewait serve, weavewait proxy), and remove it"
        ) from error


def require_engine(url: str) -> None:
    """LaunchError where the proxy of a launch as processes of this host listens there."""
    for path in RUN_FOLDER.glob("*/launch.json"):
        # Another launch's may go meanwhile, or be damaged: this is not about that one.
        with suppress(OSError, msgspec.MsgspecError):
            record = msgspec.json.decode(path.read_bytes(), type=Record)
            Settings.from_label(record.settings).require_engine(url)


def write(path: Path, content: bytes) -> None:
    """All of it, or the file stays as it was: also where we are killed, or there is no room.
    LaunchError."""
    try:
        whole_file.write(path, content)
    except OSError as error:
        raise LaunchError(f"{path}: {error.strerror}") from error


def require_root() -> None:
    if os.geteuid() != 0:
        raise LaunchError("--host-process needs root: it makes links and enters namespaces")


def found(process: Process) -> psutil.Process | None:
    """The process, if it still is the one that we started, and runs.

    One that has ended may stay as a zombie for ever, where pid 1 is no init (in a container).
    """
    try:
        candidate = psutil.Process(process.pid)
        # Computed from the clock, which is corrected now and then: near enough is the same.
        same = abs(candidate.create_time() - process.created) < 1.0
        if same and candidate.status() != psutil.STATUS_ZOMBIE:
            return candidate
    except psutil.NoSuchProcess:
        pass
    return None


def states(record: Record) -> list[tuple[str, bool]]:
    """Each part, and whether it runs; one may be missing that was never started."""
    processes = {part: record.processes.get(part) for part in PARTS}
    return [
        (part, process is not None and found(process) is not None)
        for part, process in processes.items()
    ]


def words_of(settings: Settings) -> dict[str, list[str]]:
    """The command line of each part, in their order."""
    folders = Folders.of(settings.engine)
    return {
        HOOKS: serve_words(settings, folders.hooks_url, str(folders.state)),
        PROXY: proxy_words(settings, str(folders.run / "adapters.yml")),
    }


def bring_up(settings: Settings, tell: Tell) -> list[str]:
    """Start what does not run yet; the names of what was started. LaunchError."""
    require_root()
    folders = Folders.of(settings.engine)
    for folder in (folders.run, folders.state):
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    write(folders.run / "adapters.yml", adapters_yml(settings, folders.hooks_url).encode())
    before = recorded(settings.engine)
    processes = dict(before.processes) if before else {}
    started = []
    for part, words in words_of(settings).items():
        if part not in processes or found(processes[part]) is None:
            tell(f"starting the {part} process")
            with starting(part, words, folders.run) as process:
                # Written before it begins: whatever becomes of us meanwhile, `stop` knows it.
                processes[part] = process
                record = Record(settings.to_label(), processes)
                write(folders.record, msgspec.json.encode(record))
            started.append(part)
    return started


@contextmanager
def starting(part: str, words: list[str], run: Path) -> Iterator[Process]:
    """One part as a process of its own session, held until the block's end, which waits for its
    word that it is ready (sd_notify(3)). LaunchError; no error leaves the process behind."""
    log = run / f"{part}.log"
    address = run / "notify.sock"
    address.unlink(missing_ok=True)
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready,
        log.open("wb") as output,
    ):
        ready.bind(str(address))
        child = subprocess.Popen(
            ["sh", "-c", HELD, "sh", *program(), *words],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd="/",
            env={**os.environ, "NOTIFY_SOCKET": str(address)},
            start_new_session=True,
        )
        process = Process(child.pid, psutil.Process(child.pid).create_time())
        try:
            yield process
            let_go(child)
            if not await_ready(child, ready):
                said = log.read_text().strip() or "it said nothing"
                raise LaunchError(f"the {part} process did not start: {said}")
        except BaseException:
            end(process)
            raise
        finally:
            address.unlink()


def let_go(child: subprocess.Popen[bytes]) -> None:
    """One that has ended by itself is seen by whoever waits for it."""
    assert child.stdin is not None
    with suppress(BrokenPipeError), child.stdin:
        child.stdin.write(b"go\n")


def await_ready(child: subprocess.Popen[bytes], ready: socket.socket) -> bool:
    """Whichever comes first: its word that it is ready, its end, or the time-out."""
    pidfd = os.pidfd_open(child.pid)
    try:
        readable, _, _ = select.select([ready.fileno(), pidfd], [], [], READY_SECONDS)
    finally:
        os.close(pidfd)
    return ready.fileno() in readable


def take_down(engine: str) -> list[str]:
    """End the processes, take their networks away and their files; what was there."""
    gone = there(engine)
    record = recorded(engine)
    if record is None:
        return gone
    end_programs(record)
    folders = Folders.of(engine)
    clean_up(Settings.from_label(record.settings), folders)
    shutil.rmtree(folders.run, ignore_errors=True)
    shutil.rmtree(folders.state, ignore_errors=True)
    remove_if_empty(RUN_FOLDER, STATE_FOLDER)
    return gone


def remove_if_empty(*folders: Path) -> None:
    """One that has more in it stays, and one that is a file system of its own."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def there(engine: str) -> list[str]:
    """What `take_down` takes away, in its order."""
    record, folders = recorded(engine), Folders.of(engine)
    if record is None:
        return []
    processes = [f"the {part} process" for part in reversed(record.processes)]
    return [*processes, NETWORK, str(folders.run), str(folders.state)]


def end_programs(record: Record) -> None:
    """The proxy first: no call may come in between. LaunchError."""
    require_root()
    for process in reversed(record.processes.values()):
        end(process)


def clean_up(settings: Settings, folders: Folders) -> None:
    """Bridge, links and addresses go the way that the hook server's container goes, too."""
    words = clean_up_words(settings, str(folders.state))
    done = subprocess.run([*program(), *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LaunchError(f"could not take the network away: {done.stderr.strip()}")


def end(process: Process) -> None:
    """TERM, and KILL for one that does not listen; back when it has ended, be it as a zombie."""
    try:
        # From here on the number cannot become another process'.
        pidfd = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            if found(process) is None:
                return
            signal.pidfd_send_signal(pidfd, number)
            select.select([pidfd], [], [], END_SECONDS)
    finally:
        os.close(pidfd)
