"""The page in a browser, before the real server; the test plays the containers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.page import shots
from tests.page.scenes import (
    Clock,
    attached,
    begin,
    ended,
    failed,
    id_of,
    ready,
    removed,
)
from tests.page.stage import Stage, staged
from tests.support.browser import Browser

NOW = 1_767_264_000.0
SIZE = "return [document.documentElement.scrollWidth, innerWidth, document.body.scrollHeight]"
FOCUSED = "return document.activeElement.closest('li')?.dataset.id ?? document.activeElement.id"
# Layout shifts that nobody's own click or key made.
WATCH_SHIFTS = (
    "window.shifts = 0; new PerformanceObserver(list => list.getEntries().forEach("
    "e => { if (!e.hadRecentInput) window.shifts += e.value })).observe({type: 'layout-shift'})"
)
WATCH_NODES = (
    "window.touched = new Set(); new MutationObserver(list => list.forEach(m => "
    "window.touched.add((m.target.nodeType === 1 ? m.target : m.target.parentElement)"
    ".closest('li')?.dataset.id))).observe(document.getElementById('list'), "
    "{subtree: true, childList: true, characterData: true, attributes: true})"
)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path, Clock(NOW)) as stage:
        yield stage


@pytest.fixture
def page(browser: Browser, stage: Stage) -> Browser:
    """Opened; the stage is empty yet."""
    return opened(browser, stage)


def opened(browser: Browser, stage: Stage, **look: Any) -> Browser:
    browser.look(**look)
    browser.go(stage.url)
    browser.until(lambda: browser.texts("#link") == ["live"])
    return browser


def names(page: Browser) -> list[str]:
    return page.texts("#list .name")


def row(page: Browser, name: str) -> list[str]:
    """State, and what is said of it."""
    return page.texts(f"[data-id='{id_of(name)}'] :is(.state, .what)")


def steps(page: Browser, name: str) -> list[list[str]]:
    """The timeline: step, since the one before, note."""
    found = page.run(
        "return [...document.querySelectorAll(`[data-id='${arguments[0]}'] .steps li`)].map("
        "li => ['step', 'since', 'note'].map(c => li.querySelector('.' + c).textContent))",
        id_of(name),
    )
    assert isinstance(found, list)
    return found


def open_row(page: Browser, name: str) -> None:
    page.run(shots.OPEN, id_of(name))


def test_nobody_there(page):
    assert page.texts("#summary") == ["no gated containers"]
    (text,) = page.texts("#empty")
    assert "Nothing waits for its network" in text
    assert "docker run -e WEAVE_CIDR=10.2.1.5/24 IMAGE" in text


def test_a_container_comes_waits_and_becomes_ready(page, stage):
    stage.do(begin("web", NOW - 12, "10.2.1.5/24"))
    page.until(lambda: names(page) == ["web"])
    state, said = row(page, "web")
    # Seconds go by in a browser.
    assert state == "waiting"
    assert re.fullmatch(r"waiting 1\d s for 10\.2\.1\.5/24 on ethwe(, \d s left)?", said)
    assert page.texts("#empty") == []
    open_row(page, "web")
    page.until(lambda: steps(page, "web"))
    assert steps(page, "web") == [
        ["created", "", ""],
        ["started", "+0.210 s", ""],
        ["attached", "", "for 10.2.1.5/24 on ethwe"],
        ["ready", "", ""],
        ["running", "", ""],
    ]
    stage.do(attached("web", NOW - 12, "10.2.1.5/24"), ready("web", NOW - 11))
    page.until(lambda: row(page, "web") == ["ready", "10.2.1.5/24, ready after 1.00 s"])
    assert steps(page, "web")[2:] == [
        ["attached", "+0.184 s", "10.2.1.5/24"],
        ["ready", "+0.816 s", "the gate became the command"],
        ["running", "", steps(page, "web")[-1][2]],
    ]
    assert re.fullmatch(r"for \d\d s", steps(page, "web")[-1][2])
    stage.do(ended("web", NOW, 3))
    page.until(lambda: row(page, "web") == ["ended", "exit code 3 after 12 s"])
    stage.do(removed("web"))
    page.until(lambda: names(page) == [])
    assert page.texts("#summary") == ["no gated containers"]


def test_a_failure_says_why_and_what_to_do_and_is_spoken(page, stage):
    stage.do(begin("web", NOW - 2, "10.2.1.5/24"))
    page.until(lambda: names(page) == ["web"])
    stage.do(failed("web", NOW - 2, shots.TAKEN, again=NOW + 3))
    page.until(lambda: row(page, "web")[0] == "failed")
    assert re.fullmatch(re.escape(shots.TAKEN) + r"; tried again in \d s", row(page, "web")[1])
    assert page.run("return document.getElementById('heard').textContent") == (
        f"web failed: {shots.TAKEN}"
    )
    open_row(page, "web")
    page.until(lambda: page.texts(".cure"))
    assert page.texts(".cure code") == ["docker inspect -f '{{.Name}}' 3f2a9c41d0b7"]
    assert page.run("return document.title") == "1 failed - weavewait"


def test_what_a_container_says_is_text(page, stage):
    name = "<img src=x onerror=document.title='run'><b>x</b>"
    stage.do(begin(name, NOW, "10.2.1.5/24"), failed(name, NOW, "<script>x</script>"))
    page.until(lambda: names(page) == [name])
    open_row(page, name)
    page.until(lambda: page.texts(".cure"))
    found = page.run("return document.querySelectorAll('#list :is(img, b, script)').length")
    assert (found, page.run("return document.title")) == (0, "1 failed - weavewait")


def test_by_keyboard_alone(page, stage):
    stage.do(
        begin("one", NOW - 3, "10.2.1.5/24"),
        begin("two", NOW - 2, "10.2.1.6/24"),
        failed("two", NOW - 2, "no"),
    )
    page.until(lambda: len(names(page)) == 2)
    page.press("/")
    assert page.run(FOCUSED) == "search"
    page.press(*"10.2.1.5")
    page.until(lambda: names(page) == ["one"])
    page.press("Tab")
    assert page.run(FOCUSED) == id_of("one")
    outline = page.run("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.press("Enter")
    page.until(lambda: page.texts(".steps"))
    page.run("document.querySelector('#search').value = ''")
    page.run("document.querySelector('#search').dispatchEvent(new Event('input'))")
    page.run("document.querySelector('#choices input').focus()")
    page.press("Right", "Right")
    page.until(lambda: names(page) == ["two"])
    assert page.texts("#choices :checked + span") == ["1 failed"]


def test_a_choice_and_a_search_that_nothing_answers_to(page, stage):
    stage.do(begin("one", NOW, "10.2.1.5/24"))
    page.until(lambda: names(page) == ["one"])
    page.run("document.querySelector('[value=failed]').click()")
    assert names(page) == []
    assert "No container matches" in page.texts("#empty")[0]
    # One that answers to it from now on comes in, and leaves again.
    stage.do(failed("one", NOW, "no"))
    page.until(lambda: names(page) == ["one"])
    stage.do(attached("one", NOW, "10.2.1.5/24"))
    page.until(lambda: names(page) == [])


def test_who_has_the_focus_keeps_it_when_all_comes_anew(page, stage):
    stage.do(begin("one", NOW - 3, "10.2.1.5/24"), begin("two", NOW - 2, "10.2.1.6/24"))
    page.until(lambda: len(names(page)) == 2)
    open_row(page, "one")
    page.run("document.querySelector(`[data-id='${arguments[0]}'] summary`).focus()", id_of("one"))
    # As after a broken connection: a new stream, and another order.
    stage.do(failed("one", NOW - 3, "no"))
    page.until(lambda: row(page, "one")[0] == "failed")
    assert names(page) == ["two", "one"]
    page.run("source.close(); connect()")
    page.until(lambda: names(page) == ["one", "two"])
    assert page.run(FOCUSED) == id_of("one")
    assert page.texts(".steps")


def test_one_that_goes_hands_the_focus_on(page, stage):
    stage.do(begin("one", NOW - 3, "10.2.1.5/24"), begin("two", NOW - 2, "10.2.1.6/24"))
    page.until(lambda: names(page) == ["two", "one"])
    page.run("document.querySelector('summary').focus()")
    stage.do(removed("two"))
    page.until(lambda: names(page) == ["one"])
    assert page.run(FOCUSED) == id_of("one")


@pytest.mark.parametrize("width", [360, 1100])
def test_five_hundred(browser, stage, width):
    stage.do(*shots.many(NOW))
    page = opened(browser, stage, width=width)
    page.until(lambda: page.run(shots.COUNT) == 500)
    assert page.texts("#summary") == ["45 waiting, 10 failed, 411 ready"]
    wide, window, _ = page.run(SIZE)
    assert wide <= window
    page.run(WATCH_SHIFTS)
    page.run(WATCH_NODES)
    before = names(page)
    stage.do(failed("job-000", NOW - 4000, "no"))
    page.until(lambda: row(page, "job-000") == ["failed", "no"])
    # Only that one was touched, but for those whose seconds go by; nobody has moved.
    waiting = page.run(
        "return [...document.querySelectorAll('[data-state=waiting], [data-state=failed]')]"
        ".map(li => li.dataset.id)"
    )
    touched = set(page.run("return [...window.touched]"))
    assert id_of("job-000") in touched
    assert touched <= set(waiting)
    assert names(page) == before
    assert page.run("return window.shifts") == 0


def test_more_than_are_shown_at_once(page, stage):
    stage.do(*[begin(f"n{number}", NOW, "") for number in range(510)])
    page.until(lambda: page.texts("#rest") == ["Show 10 more of 10"])
    assert page.run(shots.COUNT) == 500
    page.run("document.getElementById('rest').click()")
    assert (page.run(shots.COUNT), page.texts("#rest")) == (510, [])


@pytest.mark.parametrize("dark", [True, False])
def test_a_phone_shows_all_of_it(browser, stage, dark):
    stage.do(*shots.failures(NOW))
    page = opened(browser, stage, dark=dark, width=360, height=740)
    page.until(lambda: page.run(shots.COUNT) == 4)
    for name in ("late", "no-router", "one-shot"):
        open_row(page, name)
    page.until(lambda: len(page.texts(".cure")) == 3)
    wide, window, _ = page.run(SIZE)
    assert wide <= window
    # Nothing sticks out of its row, and dark is dark.
    sticking = page.run(
        "return [...document.querySelectorAll('#list *')].filter(e => e.checkVisibility() && "
        "e.getBoundingClientRect().right > innerWidth).map(e => e.className)"
    )
    assert sticking == []
    background = page.run("return getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(16, 20, 24)" if dark else "rgb(246, 247, 248)")


def test_who_wants_no_motion_has_none(page, stage):
    stage.do(begin("one", NOW, ""))
    page.until(lambda: names(page) == ["one"])
    moving = "return document.getAnimations().length"
    assert page.run(moving) == 1
    reduced = {"name": "prefers-reduced-motion", "value": "reduce"}
    page.cdp("Emulation.setEmulatedMedia", features=[reduced])
    assert page.run(moving) == 0


def test_a_server_that_goes_is_said_and_one_that_comes_again_shows_what_is(browser, tmp_path):
    with staged(tmp_path, Clock(NOW)) as first:
        first.do(begin("old", NOW, ""))
        page = opened(browser, first)
        page.until(lambda: names(page) == ["old"])
        port = int(first.url.rsplit(":", 1)[1])
    page.until(lambda: page.texts("#link") == ["connection lost, trying again"])
    assert names(page) == ["old"]
    assert page.run("clearTimeout(ticking); ticking = 0; tick(); return ticking") == 0
    with staged(tmp_path, Clock(NOW), port) as second:
        second.do(begin("new", NOW, ""))
        page.until(lambda: names(page) == ["new"])
        assert page.texts("#link") == ["live"]
        second.do(lambda live: live.connect(False))
        page.until(lambda: page.texts("#link") == ["engine not reached"])


def test_nothing_is_complained_about(browser, stage):
    """A script or style that the policy refuses, an outside asset, an exception."""
    stage.do(*shots.usual(NOW))
    # The page of the test before may still look for its server.
    browser.go("about:blank")
    complaints(browser)
    page = opened(browser, stage)
    page.until(lambda: page.run(shots.COUNT) == 7)
    for name in ("web", "vpn-client", "db", "migrate"):
        open_row(page, name)
    page.until(lambda: len(page.texts(".steps")) == 4)
    loaded = page.run("return performance.getEntriesByType('resource').map(e => e.name)")
    assert {url.removeprefix(stage.url) for url in loaded} <= {"/v1/events"}
    assert complaints(page) == set()
    # Both would be told.
    page.run("document.head.append(document.createElement('style'))")
    page.run("setTimeout(() => { throw new Error('on fire') })")
    told: set[str] = set()

    def all_told() -> bool:
        told.update(complaints(page))
        return told == {"security", "javascript"}

    page.until(all_told)


def complaints(page: Browser) -> set[str]:
    """Of what kind is what the browser has logged since it was asked last."""
    return {entry["source"] for entry in page.ask("POST", "/se/log", type="browser")}
