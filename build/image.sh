#!/bin/sh
# Usage: build/image.sh VERSION REVISION   Builds the volume image from dist/ on the engine that
# DOCKER_HOST names, as weavewait:VERSION and weavewait:latest.
set -eu
version=$1 revision=$2
cd "$(dirname "$0")/.."

why=$(docker version 2>&1 >/dev/null) || {
    echo "image: no Docker Engine answers at ${DOCKER_HOST:-its usual place} ($why); start one, or" \
        "name another by DOCKER_HOST=unix:///PATH make image" >&2
    exit 1
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# BuildKit where the client has it; else the classic builder, which an unset variable would not
# choose by itself when the engine prefers the other.
if docker buildx version >/dev/null 2>&1; then buildkit=1; else buildkit=0; fi
DOCKER_BUILDKIT=${DOCKER_BUILDKIT:-$buildkit} docker build --file Dockerfile.volume \
    --build-arg "VERSION=$version" --build-arg "REVISION=$revision" \
    --tag "weavewait:$version" --tag weavewait:latest dist >"$log" 2>&1 || {
    cat "$log" >&2
    exit 1
}
echo "image: weavewait:$version and weavewait:latest, $(docker image inspect \
    --format '{{.Size}}' weavewait:latest | awk '{printf "%.1f MB", $1 / 1e6}')"
