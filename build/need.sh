#!/bin/sh
# Usage: build/need.sh THING...   Makes sure that each thing is there: as root on Debian by
# apt-get, else by one clear line that says what to install. Says nothing when all is there.
set -eu

python=${PYTHON:-python3}

# A thing: how to see that it is there, and Debian's package for it.
present() {
    case $1 in
        venv) "$python" -c 'import ensurepip, venv' ;;
        libpython) "$python" "$(dirname "$0")/libpython.py" ;;
        # Any busybox will not do: a FROM-scratch root has no libc for it.
        busybox) command -v busybox && ! ldd "$(command -v busybox)" ;;
        # Elsewhere they lie in /opt/cni/bin; the tests want Debian's.
        cni-plugins) test -x /usr/lib/cni/bridge ;;
        *) command -v "$1" ;;
    esac >/dev/null 2>&1
}

package() {
    case $1 in
        venv) echo "python3-venv" ;;
        libpython) "$python" -c 'import sys; print("libpython%d.%d" % sys.version_info[:2])' ;;
        busybox) echo "busybox-static" ;;
        # docker.io brings the client too on bookworm; from trixie on it is a package of its own.
        dockerd) echo "docker.io iptables" ;;
        docker) if [ -n "$(apt-cache policy docker-cli 2>/dev/null | grep 'Candidate: [^(]')" ]
                then echo "docker-cli"; else echo "docker.io"; fi ;;
        objdump) echo "binutils" ;;
        cni-plugins) echo "containernetworking-plugins" ;;
        systemd-analyze) echo "systemd" ;;
        chromedriver) echo "chromium-driver" ;;
        ip) echo "iproute2" ;;
        nft) echo "nftables" ;;
        unshare | nsenter | setpriv) echo "util-linux" ;;
        *) echo "$1" ;;
    esac
}

# Each thing is there afterwards, or the script has ended.
ensure() {
    missing=""
    for thing in "$@"; do
        present "$thing" || missing="$missing $thing"
    done
    [ -n "$missing" ] || return 0

    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "need:$missing: not here. As root on Debian:" >&2
        for thing in $missing; do echo "    apt-get install $(package "$thing")"; done | sort -u >&2
        exit 1
    fi

    echo "need: installing$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    packages=""
    for thing in $missing; do packages="$packages $(package "$thing")"; done
    # shellcheck disable=SC2086  # one word a package
    apt-get -qq install -y --no-install-recommends $packages >/dev/null

    for thing in $missing; do
        present "$thing" || { echo "need: $thing is still not here after installing it" >&2; exit 1; }
    done
}

# A bare Debian has none; a Python that was named is somebody's own.
[ "$python" != python3 ] || ensure python3

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "need: Python 3.11 or newer as '$python'; name another one with make PYTHON=..." >&2
    exit 1
}

ensure "$@"
