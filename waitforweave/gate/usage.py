"""What --help says; docs/gate.md shows the same, and a test compares them."""

from __future__ import annotations

USAGE = """\
Usage: wait-for-weave [OPTION...] [--] [COMMAND [ARG...]]

Wait until the network is there, then become COMMAND: same process, arguments, environment and
signals. Without COMMAND: wait, and exit 0. Without options: wait for the interface ethwe, and
for the addresses that WEAVE_CIDR promises it.

What to wait for:
  --interface NAME   wait for this interface; repeatable; a shell glob names several (ethwe)
  --any              one of all these interfaces will do
  --all              every interface that a NAME matches, not only one for each NAME
  --count N          N of all these interfaces will do
  --state STATE      present, up, carrier or address; each includes those before it (address)
  --address CIDR     this address must be on one of the interfaces: 10.2.1.5/24, 10.2.1.5 (of any
                     prefix length) or net:10.2.2.0/24; repeatable; stands in WEAVE_CIDR's place
  --family FAMILY    inet, inet6 or any: which address an interface must have (any)
  --scope SCOPE      global or any: whether a link-local address will do (global)
  --route DEST       a route to DEST must lead out of one of the interfaces: default, 224.0.0.0/4
                     or 10.9.9.9; repeatable

How long, and what then:
  --timeout SECONDS  how long to wait at most (30); 0: for ever
  --on-timeout WHAT  fail: exit 1; run: run COMMAND all the same (fail)

What it says:
  --log-format FORM  text, or json: one object a line (text)
  --quiet            errors only
  --verbose          also what changes while it waits
  --explain          print what it would wait for and what it sees now; exit 0 if ready, else 1

Instead of waiting:
  --install DIR      copy the gate to DIR, for containers that share DIR, and exit 0
  --help, --version

Environment: each OPTION from --interface to --explain is also a variable, WAIT_FOR_WEAVE_INTERFACE
for --interface and so on; several words by comma or blank, "yes" for an option without a value. The
command line comes first.
  WEAVE_CIDR           addresses promised on ethwe: 10.2.1.5/24, ip:10.2.1.5/24, net:10.2.2.0/24
                       or net:default, separated by commas or blanks; none: wait for nothing;
                       empty or absent: any address
  WAIT_FOR_SECONDS     the same as WAIT_FOR_WEAVE_TIMEOUT
  WAIT_FOR_WEAVE_SKIP  yes: do not wait, run COMMAND at once
  WAIT_FOR_WEAVE_QUIT  yes: exit 0 at once

Exit codes: those of COMMAND; 1 the time ran out; 2 bad option or value; 125 the gate itself
failed; 126 COMMAND cannot be executed; 127 COMMAND is not there; 128+N ended by signal N.
"""
