#!/bin/sh
# One network across hosts, by the real Weave Net. On each host, as root, once its router runs:
#
#     weave launch [ADDRESS-OF-ANOTHER-HOST...]
#     ./up.sh
#
# Afterwards a container of any host reaches those of all others:
#
#     docker run -d -e WEAVE_CIDR=10.2.1.1/24 ...     # on the first host
#     docker run --rm -e WEAVE_CIDR=10.2.1.2/24 busybox ping -c 1 10.2.1.1     # on the second
set -eu

weave status >/dev/null || {
    echo "up.sh: Weave Net does not run here: weave launch [ADDRESS-OF-ANOTHER-HOST...]" >&2
    exit 1
}
# The command `weave` is a program of this host, so what calls it is a process of this host too.
weavewait launch --backend weave --host-process "$@"
