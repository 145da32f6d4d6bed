"""All containers' stories, kept small: for the live page. Pure but for the clock it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set

from msgspec.structs import replace

from waitforweave.docker.json_object import Object
from waitforweave.hooks import story as told
from waitforweave.hooks.book import Attached, Failed, Record, Run
from waitforweave.hooks.process import Process
from waitforweave.hooks.story import Story

# Containers that failed and were removed at once (docker run --rm), for who asks why.
MOST_REMOVED = 50
# Stopped ones, which the engine keeps until somebody removes them.
MOST_ENDED = 500


class Timeline:
    """Stories by container id; `changed` hears whose is another now, or gone."""

    def __init__(self, clock: Callable[[], float], changed: Callable[[str], None]) -> None:
        self._clock = clock
        self._changed = changed
        self._stories: dict[str, Story] = {}
        self._runs: dict[str, Run] = {}
        # In the order in which they ended, or were removed.
        self._ended: dict[str, None] = {}
        self._removed: dict[str, None] = {}

    def __iter__(self) -> Iterator[Story]:
        return iter(list(self._stories.values()))

    def get(self, container: str) -> Story | None:
        return self._stories.get(container)

    def begin(self, container: Object, run: Run, promised: Sequence[str]) -> None:
        """This run shall be attached; one that is known goes on."""
        before = self._stories.get(run.id)
        if before is None or self._runs.get(run.id) != run:
            self._runs[run.id] = run
            self._put(told.begun(container, run, promised, before))
        elif before.ended is not None or before.name != run.name:
            self._put(told.going_on(before, run))

    def note(self, container: str, record: Record | None) -> None:
        """The book says this of it now; None: it has ended."""
        story = self._stories.get(container)
        if story is None:
            return
        if record is None:
            self.end(container)
        elif isinstance(record.state, Attached):
            self._put(told.attached(story, record.state))
        elif isinstance(record.state, Failed):
            self._put(told.failed(story, record.state))

    def see(self, container: str, process: Process) -> None:
        """Its process is this now."""
        story = self._stories.get(container)
        if story is not None and story.ended is None:
            self._put(told.seen(story, process, self._clock()))

    def end(self, container: str, at: float | None = None, code: int | None = None) -> None:
        """It has ended `at` that time; of an older run than the one we know it says nothing."""
        story = self._stories.get(container)
        if story is None or (at is not None and at < (story.started or 0.0)):
            return
        self._put(told.ended(story, self._clock() if at is None else at, code))

    def remove(self, container: str) -> None:
        """It is no more; a failure stays for a while."""
        story = self._stories.get(container)
        if story is None:
            return
        self._runs.pop(container, None)
        if story.state != "failed":
            self._drop(container)
            return
        self._put(told.ended(replace(story, removed=True), self._clock(), None))

    def keep(self, existing: Set[str], running: Set[str], asked: float) -> None:
        """The engine had these as it was `asked` then; it says nothing of who began since."""
        for story in self:
            if story.removed or (story.started or 0.0) >= asked:
                continue
            if story.id not in existing:
                self.remove(story.id)
            elif story.id not in running and story.ended is None:
                self.end(story.id)

    def _put(self, story: Story) -> None:
        if self._stories.get(story.id) == story:
            return
        self._stories[story.id] = story
        self._ended.pop(story.id, None)
        self._changed(story.id)
        if story.removed:
            self._retain(self._removed, story.id, MOST_REMOVED)
        elif story.ended is not None:
            self._retain(self._ended, story.id, MOST_ENDED)

    def _retain(self, ids: dict[str, None], newest: str, most: int) -> None:
        ids[newest] = None
        while len(ids) > most:
            self._drop(next(iter(ids)))

    def _drop(self, container: str) -> None:
        for known in (self._stories, self._runs, self._ended, self._removed):
            known.pop(container, None)
        self._changed(container)
