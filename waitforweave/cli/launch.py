"""`weavewait launch`: volume container, hook server and proxy, for one engine."""

from __future__ import annotations

import asyncio
import shlex
import time

import click

from waitforweave.attach.options import Options
from waitforweave.cli.errors import term_as_interrupt, told
from waitforweave.cli.hook_options import (
    gate_all_option,
    hold_exec_option,
    page_option,
    show_addresses_option,
)
from waitforweave.cli.listening import require_loopback
from waitforweave.cli.one_at_a_time import one_at_a_time
from waitforweave.cli.options import (
    backend_option,
    engine_option,
    image_option,
    listen_option,
    network_options,
    network_words,
    require_different,
    subnet_option,
    web_address,
)
from waitforweave.cli.progress import shown
from waitforweave.docker.engine import Engine
from waitforweave.docker.url import parse_engine_url
from waitforweave.launch import steps
from waitforweave.launch.settings import Settings, Tell


@click.command(short_help="Start all that gated containers need, for one engine.")
@engine_option
@listen_option
@backend_option
@subnet_option
@network_options
@image_option
@hold_exec_option
@gate_all_option
@show_addresses_option
@page_option
@click.option(
    "--host-process",
    is_flag=True,
    help="Run hook server and proxy as processes of this host, not as containers.",
)
@click.option(
    "--replace",
    is_flag=True,
    help="Make a launch that is there anew, of another image or with other options; what is "
    "attached stays attached.",
)
def command(
    engine: str,
    listen: tuple[str, ...],
    backend: str,
    subnet: str,
    options: Options,
    image: str,
    hold_exec: bool,
    gate_all: bool,
    show_addresses: bool,
    page: str | None,
    host_process: bool,
    replace: bool,
) -> None:
    """Bring up all that gated containers need, and say how a client gets there.

    A second launch changes nothing. On stdout stands one line, for `eval` or a shell's history:
    export DOCKER_HOST=...
    """
    require_different(listen)
    settings = Settings(
        *(engine, listen, backend, subnet, image, network_words(options)),
        hold_exec=hold_exec,
        gate_all=gate_all,
        show_addresses=show_addresses,
        page=page or "",
    )
    with term_as_interrupt(), told("launch"), one_at_a_time("launch", engine):
        for url in listen:
            require_loopback(parse_engine_url(url))
        begun = time.monotonic()
        with shown("weavewait launch") as line:
            started = asyncio.run(bring_up(settings, line, host_process, replace))
        took = f"{time.monotonic() - begun:.1f} s"
    if started:
        click.echo(f"weavewait launch: started {', '.join(started)} ({took})", err=True)
    else:
        click.echo("weavewait launch: all of it runs already", err=True)
    if page:
        click.echo(f"weavewait launch: page at {web_address(page)}", err=True)
    click.echo(f"export DOCKER_HOST={shlex.quote(settings.listen[0])}")


async def bring_up(
    settings: Settings, line: Tell, host_process: bool, replacing: bool
) -> list[str]:
    def tell(words: str) -> None:
        line(f"weavewait launch: {words}")

    async with Engine(settings.engine) as engine:
        return await steps.launch(
            engine, settings, tell, host_process=host_process, replacing=replacing
        )
