# setup | run | test | test-bots | test-all | test-faults | check | bench | bundle | prove-image | lock. Only python3.11 and npm are needed to begin.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# What does not need each other runs side by side: the two installers, and the checks.
MAKEFLAGS += --jobs=2

.PHONY: setup run migrate test test-bots test-all test-faults check check-types check-code format bench bundle prove-image lock clean

setup: $(READY) node_modules/.ready

# Hashes pin every file that is installed. The lock is the whole tree: pip is not to resolve anything (--no-deps), or a
# newer release of a package that another asks for with an extra stops it. Bytecode is compiled now, as start-up doubles
# without it, and not by pip, which uses one core for it and compiles what packages have to test themselves. Some hold
# files that no Python can read.
$(READY): requirements-dev.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --no-compile -r requirements-dev.lock
	$(BIN)/python -m compileall -qq -j 0 -x '/tests?/' $(VENV)/lib || true
	$(BIN)/python -m compileall -q -j 0 shared functions infra
	$(BIN)/python -m shared.tools.documentation
	touch $@

# Linters for JavaScript and the inspector of the MCP tests; their scripts are not run. Not `npm ci`: it refuses a lock
# file that lacks other platforms' binaries, which not every registry has. The lock file's hashes hold all the same.
node_modules/.ready: package-lock.json
	npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

run: setup
	@exec $(BIN)/python -m infra.local.gateway

migrate: setup
	$(BIN)/python -m shared.sessions.migrate

# Three workers on two cores, as some of what tests do is wait; their long files first, see tests/order.py.
test: setup
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not long"

# What CI runs: those and the bots together, so that no worker waits for the last of either. After what leaves the
# bytecode of tests; beside the types, in `make check test-all`.
test-all: check-code
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not long or bots"

# Every strategy in both languages, and each planted bad one, through the whole verification.
test-bots: setup
	$(BIN)/python -m pytest -n 3 --dist load --maxschedchunk 1 -m bots tests/faults/test_corpus_of_bots.py tests/faults/test_corpus_of_templates.py

# All that takes minutes: what kills, stops and fills things, and many bots of each strategy; `test` has the quick ones.
test-faults: setup
	$(BIN)/python -m pytest -n 3 --dist load --maxschedchunk 1 -m long tests/faults tests/shared/tools/test_create_bot_template_property.py

check: check-types check-code

# The longest of them, on one core all the time.
check-types: setup
	$(BIN)/mypy

# Collecting the tests also leaves their bytecode, which each worker of `make test` would else make for itself.
check-code: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python -m shared.tools.documentation.check
	$(BIN)/python -m infra.checks
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --collect-only -qq > /dev/null

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup
	$(BIN)/python -m bench.run

# The upload for Cloud Functions, dist/the0-agent.zip.
bundle: setup
	$(BIN)/python -m infra.bundle

# The Dockerfile, built without Docker in a bare Debian and started as its user: root, debootstrap and minutes.
prove-image: setup
	$(BIN)/python -m pytest -n 0 -s -m long tests/infra/test_image.py

# Needs uv; the files hold hashes and no address.
lock:
	uv pip compile --quiet --generate-hashes --no-strip-extras --python-version 3.11 --no-header --no-annotate pyproject.toml -o requirements.lock
	uv pip compile --quiet --generate-hashes --no-strip-extras --python-version 3.11 --no-header --no-annotate --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) node_modules .local dist
