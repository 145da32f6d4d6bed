# Each target sets up what it needs: Debian packages when root, else a line that says which;
# Python packages in .venv. What is made goes to dist/ and .cache/, never into build/ (source).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp

.DEFAULT_GOAL := help
.PHONY: help venv lint test test-one-half test-other-half test-engines demo freeze platform tarball manuals release image pictures bench clean

help: ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

venv: $(STAMP) ## .venv with all dependencies: .venv/bin/weavewait, .venv/bin/wait-for-weave

$(STAMP): pyproject.toml build/constraints.txt
	@PYTHON=$(PYTHON) build/need.sh venv
	@echo "venv: installing into $(VENV), a minute or so"
	@begun=$$(date +%s) && $(PYTHON) -m venv $(VENV) && \
		$(BIN)/python -m pip install -q --disable-pip-version-check -c build/constraints.txt -e '.[dev,freeze,release]' && \
		echo "venv: $(VENV), $$(($$(date +%s) - begun)) s"
	@touch $@

lint: venv ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

freeze: platform dist/.stamp ## dist/wait-for-weave/ and dist/weavewait/, by PyInstaller

# PLATFORM=linux-x86_64 or linux-aarch64: refused, before anything is made, where it cannot be.
platform:
	@PYTHON=$(PYTHON) build/need.sh
	@$(PYTHON) build/platforms.py $(PLATFORM)

dist/.stamp: $(STAMP) $(shell find waitforweave build -name '*.py' -o -name '*.spec' -o -name '*.c' -o -name '*.html') | platform
	@PYTHON=$(PYTHON) build/need.sh libpython objdump
	@mkdir -p .cache && flock .cache/freeze.lock $(BIN)/python -m build.freeze
	@touch $@

tarball: freeze ## dist/wait-for-weave-VERSION-PLATFORM.tar.gz: the gate, for any folder of a host
	@$(BIN)/python -m build.tarball

manuals: venv ## man pages and shell completion, from the code, to docs/man/ and docs/completion/
	@$(BIN)/python -m build.manuals

release: freeze ## dist/release/: wheel, sdist, the gate's tarball, the image, and SHA256SUMS
	@build/need.sh buildah
	@$(BIN)/python -m build.release

image: freeze ## weavewait:latest, on the engine that DOCKER_HOST names
	@build/need.sh docker
	@$(BIN)/python -m build.image

test: lint freeze ## all tests, on a private engine that goes away with them; needs root; JOBS=2: sooner
	@PYTHON=$(PYTHON) build/need.sh dockerd docker busybox ip nft unshare nsenter setpriv cni-plugins \
		buildah zsh fish docker-compose systemd-analyze chromium chromedriver
	@$(MAKE) --no-print-directory -j$(JOBS) --output-sync=target test-one-half test-other-half

# JOBS=2: both beside each other, 15 minutes in place of 25 on two cores, and each one's output when it
# has ended. One half has all that makes something in dist/. A test that runs make is no part of
# this one's jobs.
JOBS := 1
test-one-half:
	MAKEFLAGS= $(BIN)/pytest tests/docker --ignore=tests/docker/proxy --ignore=tests/docker/frozen

test-other-half:
	MAKEFLAGS= $(BIN)/pytest --ignore=tests/docker
	MAKEFLAGS= $(BIN)/pytest tests/docker/proxy tests/docker/frozen
	MAKEFLAGS= WFW_TEST_GATE=$(CURDIR)/dist/wait-for-weave/wait-for-weave $(BIN)/pytest tests/netns/gate

test-engines: freeze ## the tests against Docker of other Debian suites, and podman; ENGINE=trixie for one
	@PYTHON=$(PYTHON) build/need.sh dockerd docker busybox ip unshare nsenter setpriv debootstrap
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c build/constraints.txt -e '.[engines]'
	@$(BIN)/python -m tests.engines $(ENGINE)

demo: venv freeze ## the main job, end to end, with the plain docker command
	@build/need.sh docker busybox
	@$(BIN)/python -m tests.demo

pictures: venv ## docs/page-light.png and docs/page-dark.png, of the live page
	@build/need.sh chromium chromedriver
	@$(BIN)/python -m tests.page.shots docs page

bench: venv freeze ## speed, as ratios against a baseline of the same run
	@build/need.sh dockerd docker busybox ip unshare nsenter setpriv haproxy
	@$(BIN)/python -m tests.bench

clean: ## remove what was made here
	rm -rf dist .cache .venv .mypy_cache .ruff_cache .pytest_cache
