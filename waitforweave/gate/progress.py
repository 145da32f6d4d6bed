"""What is said while the gate waits, and when. Pure, but for the log that it is given.

    state     when                                   then
    SILENT    `due` has come (never: `due` is None)  "waiting: ...", TOLD
    TOLD      the reason is another one              said anew where changes are wanted
    either    ready                                  "ready after ..." if TOLD or verbose

Silent when all is well and quick: most containers are attached before 200 ms have passed.
"""

from __future__ import annotations

from waitforweave.gate.options import JSON, QUIET, VERBOSE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Literal

    from waitforweave.gate.conditions import Verdict
    from waitforweave.gate.options import Level
    from waitforweave.gate.report import Log

    State = Literal["silent", "told"]

SILENT: Final = "silent"
TOLD: Final = "told"
PATIENCE_SECONDS = 0.2


class Progress:
    """`due` is when to say that we wait, by the monotonic clock; None: not by the clock."""

    def __init__(self, log: Log, level: Level) -> None:
        self.state: State = SILENT
        self.due: float | None = None
        if level != QUIET:
            self.due = log.started + (0.0 if level == VERBOSE else PATIENCE_SECONDS)
        self._log = log
        self._says_all = level == VERBOSE
        # A terminal's line is kept current; a log gets no more lines than it was asked for.
        self._says_changes = self._says_all or (log.on_terminal and log.form != JSON)
        self._reason = ""

    def waiting(self, verdict: Verdict, now: float) -> None:
        """What is missing now."""
        if self.state == SILENT:
            if self.due is None or now < self.due:
                return
            self.state, self.due = TOLD, None
            self._reason = verdict.reason
            self._log.show("waiting", f"waiting: {self._reason}", verdict)
        elif self._says_changes and verdict.reason != self._reason:
            self._reason = verdict.reason
            self._log.show("changed", f"waiting: {self._reason}", verdict)

    def ready(self, verdict: Verdict, now: float) -> None:
        """Nothing is missing any more."""
        if self.state == TOLD or self._says_all:
            message = f"ready after {now - self._log.started:.3f} s: {verdict.reason}"
            self._log.say("ready", message, verdict=verdict)
