"""Options of the hook server that `serve` has and `launch` passes on."""

from __future__ import annotations

import click

from waitforweave.cli.options import PAGE_URL

hold_exec_option = click.option(
    "--hold-exec",
    is_flag=True,
    help="Let `docker exec` wait too, until its container is ready.",
)
gate_all_option = click.option(
    "--gate-all",
    is_flag=True,
    help="Gate every container, also without WEAVE_CIDR; not on the networks host and none.",
)
show_addresses_option = click.option(
    "--show-addresses",
    is_flag=True,
    help="Let `docker inspect` show the attached addresses, as a network named weave.",
)
page_option = click.option(
    "--page",
    type=PAGE_URL,
    help="Show the live page there, too: 127.0.0.1:PORT, for browsers of this host. Read-only.",
)
