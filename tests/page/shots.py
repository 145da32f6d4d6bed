"""Pictures of the page: python -m tests.page.shots FOLDER [SCENE...]; two are in the docs."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.page import scenes
from tests.page.scenes import Clock, Step, attached, begin, ended, failed, ready, removed
from tests.page.stage import Stage, staged
from tests.support.browser import Browser, chromium

TAKEN = "Unable to claim: address 10.2.1.5/24 already in use by 3f2a9c41d0b7"
COUNT = "return document.querySelectorAll('#list > li').length"
OPEN = "document.querySelector(`[data-id='${arguments[0]}'] summary`).click()"


def usual(now: float) -> list[Step]:
    """A day's work: some run, one waits, one has failed, one is through."""
    t = {name: now - ago for name, ago in (("db", 8211), ("api", 8204), ("worker", 640))}
    steps: list[Step] = []
    for number, (name, started) in enumerate(t.items()):
        address = f"10.2.1.{5 + number}/24"
        steps += [
            begin(name, started, address),
            attached(name, started, address),
            ready(name, started + 0.31),
        ]
    w, f, m, g = now - 12.4, now - 47, now - 5.2, now - 190
    return [
        *steps,
        begin("migrate", g, "10.2.1.20/24"),
        attached("migrate", g, "10.2.1.20/24"),
        ready("migrate", g + 0.25),
        ended("migrate", g + 17, 0),
        begin("vpn-client", w, "10.2.4.7/24", "WAIT_FOR_WEAVE_INTERFACE=tun0"),
        attached("vpn-client", w, "10.2.4.7/24"),
        begin("cache", m, "net:10.2.2.0/24"),
        begin("web", f, "10.2.1.5/24"),
        failed("web", f, TAKEN, again=now + 7),
    ]


def nothing(_now: float) -> list[Step]:
    return []


def many(now: float) -> list[Step]:
    steps: list[Step] = []
    for number in range(500):
        name, started = f"job-{number:03}", now - 4000 + number * 7
        address = f"10.32.{number // 250}.{number % 250 + 1}/12"
        steps.append(begin(name, started, address))
        if number % 50 == 3:
            steps.append(failed(name, started, TAKEN, again=now + number / 10))
        elif number % 11:
            steps += [attached(name, started, address), ready(name, started + 0.2)]
            steps += [ended(name, started + 60, number % 3)] * (number % 13 == 0)
    return steps


def failures(now: float) -> list[Step]:
    first, second, third = now - 31, now - 300, now - 90
    weave = 'weave attach: bridge "weave" not present; did you launch weave? (exit code 1)'
    return [
        begin("late", first, "10.9.9.9/24"),
        ended("late", now - 0.8, 1),
        begin("no-router", second, "net:default"),
        failed("no-router", second, weave, again=now + 41),
        begin("one-shot", third, "10.2.1.5/24"),
        failed("one-shot", third, TAKEN),
        ended("one-shot", third + 0.1, 137),
        removed("one-shot"),
        begin("<b>bold</b>" + "-with-a-very-long-name" * 4, now - 3, "10.2.1.6/24"),
    ]


def shot(browser: Browser, stage: Stage, path: Path, rows: int, *opened: str) -> None:
    """One picture, once all rows are there; a row in `opened` is open."""
    browser.go(stage.url)
    browser.until(lambda: browser.run(COUNT) == rows)
    browser.until(lambda: browser.texts("#link") == ["live"])
    for name in opened:
        browser.run(OPEN, scenes.id_of(name))
    browser.screenshot(path)


PLACES: dict[str, Callable[[float], list[Step]]] = {
    "page": usual,
    "many": many,
    "failures": failures,
    "empty": nothing,
}
OPENED = {"page": ["web"], "failures": ["late", "no-router", "one-shot"]}
WINDOWS = {"": (1100, 800), "-phone": (360, 740)}


def main(folder: Path, *wanted: str) -> None:
    """Each scene that is wanted, light and dark; of all of them also on a phone."""
    folder.mkdir(parents=True, exist_ok=True)
    windows = {"": WINDOWS[""]} if wanted else WINDOWS
    with chromium() as browser:
        for name in wanted or PLACES:
            with tempfile.TemporaryDirectory() as place, staged(Path(place), Clock()) as stage:
                stage.do(*PLACES[name](time.time()))
                rows = len(list(stage.live.timeline))
                for suffix, (width, height) in windows.items():
                    for dark in (False, True):
                        browser.look(dark=dark, width=width, height=height)
                        path = folder / f"{name}{suffix}-{'dark' if dark else 'light'}.png"
                        shot(browser, stage, path, rows, *OPENED.get(name, []))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
