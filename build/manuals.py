"""python -m build.manuals: man pages to docs/man/, shell completion to docs/completion/.

Both are kept in the repository, for those who package it; a test compares them with the code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
from click.shell_completion import get_completion_class
from click_man.core import generate_man_page
from click_man.man import ManPage

from build.bundle import ROOT
from waitforweave import __version__
from waitforweave.cli.main import weavewait
from waitforweave.gate.usage import USAGE

DOCS = ROOT / "docs"
CHANGELOG = ROOT / "CHANGELOG.md"
GATE = "wait-for-weave"
GATE_SUMMARY = "wait until the network is there, then become a command"
# An option of the gate's help, its value, and what it is for.
OPTION = re.compile(r"^  --([a-z-]+)(?: ([A-Z]+))? {2,}(.*(?:\n {10,}.*)*)", re.MULTILINE)
# A variable of it, and what it means.
VARIABLE = re.compile(r"^  ([A-Z_]+) {2,}(.*(?:\n {10,}.*)*)", re.MULTILINE)


def main() -> None:
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    print(f"manuals: {len(files())} files in docs/man/ and docs/completion/")


def files() -> dict[Path, str]:
    """All of them, by the path where each belongs."""
    pages = {f"{page_name(page)}.1": page for page in (gate_page(), *tool_pages())}
    made = {DOCS / "man" / name: page for name, page in pages.items()}
    for shell, name in (("bash", "{}"), ("zsh", "_{}"), ("fish", "{}.fish")):
        folder = DOCS / "completion" / shell
        made[folder / name.format("weavewait")] = tool_completion(shell)
        made[folder / name.format(GATE)] = GATE_COMPLETIONS[shell]()
    return made


def page_name(page: str) -> str:
    """What the page is about, from its .TH."""
    return page.split('"')[1].lower().replace(" ", "-")


def date() -> str:
    """When this version was released, as CHANGELOG.md has it behind the version."""
    found = re.search(
        rf"^## {re.escape(__version__)} \((.+)\)$", CHANGELOG.read_text(), re.MULTILINE
    )
    if found is None:
        raise SystemExit(f"manuals: CHANGELOG.md has no heading '## {__version__} (DATE)'")
    return found[1]


def tool_pages() -> Iterator[str]:
    """`weavewait`, and each of its commands."""
    context = click.Context(weavewait, info_name="weavewait")
    commands = [
        (name, weavewait.get_command(context, name)) for name in weavewait.list_commands(context)
    ]
    shown = [(name, each) for name, each in commands if each and not each.hidden]
    top = ManPage("weavewait")
    top.version, top.date = __version__, date()
    top.short_help = top.description = (weavewait.help or "").strip()
    top.synopsis = "COMMAND [ARGS]..."
    top.commands = [(name, each.get_short_help_str(200)) for name, each in shown]
    yield str(top)
    for name, command in shown:
        inner = click.Context(command, info_name=name, parent=context)
        yield plain(generate_man_page(inner, version=__version__, date=date()))


def plain(page: str) -> str:
    """click's mark of a paragraph that keeps its lines, as roff has it."""
    return re.sub(r"^\x08\n((?:.+\n)+)", r".nf\n\1.fi\n", page, flags=re.MULTILINE)


def gate_page() -> str:
    """`wait-for-weave`, from the one text that its --help shows."""
    usage, *rest = USAGE.split("\n\n")
    page = ManPage(GATE)
    page.version, page.date, page.short_help = __version__, date(), GATE_SUMMARY
    page.synopsis = usage.partition(f"{GATE} ")[2]
    page.description = rest[0]
    page.options = [
        (f"--{name} {value}".rstrip(), flat(text)) for name, value, text in gate_options()
    ]
    environment = next(part for part in rest if part.startswith("Environment: "))
    intro = environment.partition("\n  ")[0].removeprefix("Environment: ")
    variables = "".join(
        f".TP\n\\fB{name}\\fP\n{flat(text)}\n" for name, text in VARIABLE.findall(environment)
    )
    codes = rest[-1].removeprefix("Exit codes: ").strip()
    return f"{page}.SH ENVIRONMENT\n{intro}\n{variables}.SH EXIT STATUS\n{codes}\n"


def gate_options() -> list[tuple[str, str, str]]:
    """Each option's name, its value or "", and what it does."""
    return [*OPTION.findall(USAGE), ("help", "", "show a summary"), ("version", "", "show it")]


def flat(text: str) -> str:
    return " ".join(text.split())


def tool_completion(shell: str) -> str:
    """What click makes: the shell asks `weavewait` itself."""
    kind = get_completion_class(shell)
    assert kind is not None
    complete = kind(weavewait, {}, "weavewait", "_WEAVEWAIT_COMPLETE")
    # Not source(), which for bash runs the bash of this machine to look at its version.
    return complete.source_template % complete.source_vars() + "\n"


def gate_bash() -> str:
    words = " ".join(f"--{name}" for name, _, _ in gate_options())
    return f'complete -o default -W "{words}" {GATE}\n'


def gate_zsh() -> str:
    lines = [
        f"    '*--{name}[{escaped(text)}]{':' + value.lower() + ':' if value else ''}' \\"
        for name, value, text in gate_options()
    ]
    return "\n".join(
        [f"#compdef {GATE}", "_arguments -S \\", *lines, "    '*:::command:_normal'\n"]
    )


def escaped(text: str) -> str:
    """As a description within '[...]' of _arguments."""
    return re.sub(r"([\[\]:])", r"\\\1", flat(text).replace("'", "'\\''"))


def gate_fish() -> str:
    lines = [
        f"complete -c {GATE} -l {name} {'-x ' if value else ''}-d {fish_quoted(flat(text))}\n"
        for name, value, text in gate_options()
    ]
    return "".join(lines)


def fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


GATE_COMPLETIONS = {"bash": gate_bash, "zsh": gate_zsh, "fish": gate_fish}

if __name__ == "__main__":
    main()
