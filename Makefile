# Everything a person does with this project. `make` alone lists it.
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-print-directory
unexport PYTHONDONTWRITEBYTECODE  # without bytecode every command takes seconds to start
RUN := .venv/bin/python
BENCHMARKS := splitter delta mapper end_to_end cold_start cost scale
SAM := SAM_CLI_TELEMETRY=0 PATH="$(CURDIR)/.venv/bin:$$PATH" .local/sam/bin/sam

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | sort | expand -t 16

demo: setup  ## the whole flow once, on this machine: a sample export into a simulated PIM   [FILE= MAPPING= PIM=url]
	@$(RUN) -m local.demo $(if $(FILE),--file "$(FILE)") $(if $(MAPPING),--mapping "$(MAPPING)") $(if $(PIM),--pim "$(PIM)")

up: setup  ## start the local stack and keep it running
	@$(RUN) -m cli.app up

down:  ## stop the local stack
	@test ! -x $(RUN) || $(RUN) -m cli.app down

status:  ## what of the local stack is running, and where
	@$(RUN) -m cli.app status

test: setup-tests  ## unit and integration tests
	@$(RUN) -m pytest -q -n 2

test-stack: setup setup-tests  ## tests against the local stack (starts and stops its own)
	@$(RUN) -m pytest -q -m stack

test-docker: setup setup-tests  ## every function by `sam local invoke` in containers (needs Docker, or root on Debian)
	@$(RUN) -m pytest -q -m docker -rs

bench: setup-tests .local/bench  ## all benchmarks, some twenty minutes; writes benchmarks/RESULTS.md
	@set -e; for name in $(BENCHMARKS); do echo "benchmarks.$$name" >&2; nice $(RUN) -m benchmarks.$$name; done

simulate: setup-tests  ## nights of files and polls, with all that AWS, PIM and DAM may do wrong   [SEEDS=1000]
	@$(RUN) -m tests.nights --seeds $(or $(SEEDS),1000)
	@DAM_SEEDS=0-$$(( $(or $(SEEDS),1000) / 6 )) $(RUN) -m pytest -q -n 2 tests/integration/assets/test_pim_equals_dam.py

fuzz: setup-tests  ## bytes of any kind into every reader   [SECONDS=60, of each; FUZZ=target]
	@local/make-venv .local/fuzz requirements/fuzz.txt || rm -rf .local/fuzz
	@PYTHONPATH=$$(echo .local/fuzz/lib/python*/site-packages) $(RUN) -m tests.fuzz --seconds $(or $(SECONDS),60) $(FUZZ)

differential: setup-tests  ## the reader against lxml on generated files   [FILES=2000, FRESH=500]
	@$(RUN) -m tests.differential --files $(or $(FILES),2000) --fresh $(or $(FRESH),500)

test-browser: setup setup-tests  ## the pages in a real browser (installs Debian's Chromium where it may)
	@command -v chromium chromium-browser google-chrome >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
		&& apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
		|| echo "No Chromium, and this user may not install one: the tests in the browser are SKIPPED"
	@npm ci --prefix tests/browser --ignore-scripts --no-audit --no-fund --silent \
		|| echo "No npm, or no registry: pages are NOT checked for accessibility"
	@$(RUN) -m pytest -q -rs -m browser
	@echo "Pictures of every page: .local/pictures"

house: setup-tests  ## the shape of the code: rooms, names, directions, and the limits they keep
	@$(RUN) -m tests.house

check: setup setup-tests  ## formatting, lint, types, import directions, templates
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@$(SAM) validate --lint
	@.local/sam/bin/cfn-lint storage.yaml monitoring.yaml --regions ALL_REGIONS

scan: .local/sam .local/scan setup-tests  ## the template against rules of good practice, what is pinned against known weaknesses
	@$(RUN) -m local.scan

format: setup-tests  ## put the code in shape
	@.venv/bin/ruff check --fix .; .venv/bin/ruff format .

build: setup  ## sam build with bytecode, which shortens cold starts; then sam deploy
	@$(SAM) build
	@$(RUN) -m local.stack.bytecode .aws-sam/build

release: setup  ## the wheel of the command line, and an archive for each Python and architecture, into dist/   [ONLY=python3.13-arm64]
	@PATH="$(CURDIR)/.venv/bin:$$PATH" $(RUN) -m local.release $(if $(ONLY),--only "$(ONLY)")

invoke: setup  ## one function in a container, against the running local stack   FN=splitter EVENT=events/splitter/x.json
	@$(RUN) -m local.docker.invoking "$(FN)" "$(EVENT)"

requirements:  ## pin requirements/*.in anew (needs uv)
	@requirements/compile

clean: down  ## remove everything that was built or installed here
	@rm -rf .local .venv .aws-sam

setup:
	@$(MAKE) -j3 .venv/local .local/emulator .local/sam
setup-tests:
	@local/make-venv .venv requirements/test.txt --editable
.venv/local:
	@local/make-venv .venv requirements/local.txt --editable
.local/emulator .local/sam .local/scan .local/bench:
	@local/make-venv $@ requirements/$(notdir $@).txt

.PHONY: help house demo up down status test bench simulate fuzz differential test-stack test-docker test-browser check scan format build release invoke \
	requirements clean setup setup-tests .venv/local .local/emulator .local/sam .local/scan .local/bench
