# All development tasks; a new machine requires only Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python
STAMP := $(VENV)/.installed
ONE_VENV := .venv-one
PEERS_VENV := .venv-peers
RELEASE_VENV := .venv-release
MUTATION_VENV := .venv-mutation
LOWEST_VENV := .venv-lowest
RELEASE := $(RELEASE_VENV)/bin
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' alyx_client/__init__.py)
DOCS_STAMP := $(VENV)/.docs-installed
COVERAGE_STAMP := $(VENV)/.coverage-installed
SPHINX := $(RUN) -m sphinx --quiet --fail-on-warning --jobs auto

.PHONY: setup demo test coverage check client snapshot one bench soak polite foreign record live wheel sdist dist lowest mutation project licences sbom public-api docs site links clean
.DEFAULT_GOAL := setup

setup: $(STAMP)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "alyx-client requires Python 3.11 or newer: make PYTHON=python3.12 …"; exit 1; }
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --upgrade "pip>=25.1"
	$(RUN) -m pip install --quiet --editable ".[all]" --group dev
	@touch $(STAMP)

demo: $(STAMP)
	$(RUN) examples/demo.py

# make test         check everything
# make test JOBS=2  with tests in two processes at a time
test: check
	$(RUN) -m pytest $(if $(JOBS),-n $(JOBS) --dist worksteal)

# make coverage                   run all tests in one process, and show how much of the code they run, per room
# make coverage TESTS=tests/http  these tests only
# Failed tests are the business of make test: the report is made in any case.
coverage: $(COVERAGE_STAMP)
	-$(RUN) -m coverage run -m pytest -q $(TESTS)
	$(RUN) -m coverage html --quiet
	$(RUN) -m coverage json --quiet
	$(RUN) -m tests.coverage_by_room build/coverage/coverage.json

$(COVERAGE_STAMP): $(STAMP)
	$(RUN) -m pip install --quiet --group coverage
	@touch $(COVERAGE_STAMP)

check: $(STAMP)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(RUN) -m pyright
	$(BIN)/lint-imports
	$(RUN) -m alyx_generator check

# make client                                    regenerate the shipped client from the shipped snapshot
# make client SERVER=https://… PACKAGE=lab_alyx  generate a package for another server in build/
client: $(STAMP)
	$(RUN) -m alyx_generator client $(if $(SERVER),"$(SERVER)" --package "$(PACKAGE)" --out build)

# make snapshot SERVER=https://… NAME=alyx-4.0.0  save the structure of a server's schema in schemas/
snapshot: $(STAMP)
	$(RUN) -m alyx_generator snapshot "$(SERVER)" "$(NAME)"

# Run the tests of ONE on this client, and of both side by side; ONE-api gets its own environment.
one: $(ONE_VENV)/.installed
	$(ONE_VENV)/bin/python -m pytest tests/one tests/against_one

# make bench                     measure the budgets, and write benchmarks/results.json
# make bench ONE=1               also compare with ONE-api, and ONE on its own client with ONE on this one
# make bench PEERS=1             also compare with huggingface_hub and openapi-python-client
# make bench ONLY="lists reads"  measure these parts only; see benchmarks/parts.py
# make bench COMPARE=revision    measure another revision, too
bench: $(STAMP) $(if $(ONE),$(ONE_VENV)/.installed) $(if $(PEERS),$(PEERS_VENV)/.installed)
	$(if $(ONE),ONE_PYTHON=$(ONE_VENV)/bin/python) $(if $(PEERS),PEERS_PYTHON=$(PEERS_VENV)/bin/python) \
	  $(RUN) -m benchmarks.run $(if $(ONLY),--only $(ONLY)) $(if $(COMPARE),--compare $(COMPARE))

# make soak                    ten minutes of clients on a local Alyx that fails at random
# make soak SECONDS=60 SEED=7  less, with the choices of an earlier run
soak: $(STAMP)
	$(RUN) -m benchmarks.soak $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

# make polite        eight processes of sixteen threads on a local Alyx that allows 550 requests a minute (ten minutes)
# make polite ONE=1  also those of ONE's client
polite: $(STAMP) $(if $(ONE),$(ONE_VENV)/.installed)
	$(if $(ONE),ONE_PYTHON=$(ONE_VENV)/bin/python) $(RUN) -m benchmarks.polite

# make foreign FOREIGN=folder           generate packages from schemas of other servers in a folder, and print what became of them
# make foreign FOREIGN=folder STRICT=1  also type-check them
# make foreign FOREIGN=folder SERVE=1   call every method on a server made from each schema, instead
foreign: $(STAMP)
	$(RUN) -m $(if $(SERVE),benchmarks.foreign_server $(FOREIGN),benchmarks.foreign $(FOREIGN) $(if $(STRICT),--strict))

$(ONE_VENV)/.installed: pyproject.toml
	test -x $(ONE_VENV)/bin/python || $(PYTHON) -m venv $(ONE_VENV)
	$(ONE_VENV)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(ONE_VENV)/bin/python -m pip install --quiet --editable ".[local]" --group test --group one
	@touch $@

$(PEERS_VENV)/.installed: pyproject.toml
	test -x $(PEERS_VENV)/bin/python || $(PYTHON) -m venv $(PEERS_VENV)
	$(PEERS_VENV)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(PEERS_VENV)/bin/python -m pip install --quiet --group peers
	@touch $@

$(RELEASE_VENV)/.installed: pyproject.toml
	test -x $(RELEASE)/python || $(PYTHON) -m venv $(RELEASE_VENV)
	$(RELEASE)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(RELEASE)/python -m pip install --quiet --group release
	@touch $@

# What a user has who installs all extras.
build/runtime-venv: pyproject.toml
	rm -rf $@
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$@/bin/python -m pip install --quiet ".[all,dask,keyring]"
	$@/bin/python -m pip uninstall --quiet --yes alyx-client pip setuptools

# The lowest versions of the dependencies that pyproject.toml allows, and the newest of what these need.
$(LOWEST_VENV)/.installed: pyproject.toml $(RELEASE_VENV)/.installed
	$(RELEASE)/uv venv --quiet --clear --python $(PYTHON) $(LOWEST_VENV)
	$(RELEASE)/uv pip install --quiet --python $(LOWEST_VENV)/bin/python --resolution lowest-direct \
	  --editable ".[all,dask,keyring]" --group suite
	@touch $@

# make mutation                      break the rules in small ways, at random, and print what the tests do not notice
# make mutation ONLY="retry cache"   those of these rooms only; see [tool.mutmut.rooms] in pyproject.toml
# make mutation SAMPLE=200 SEED=2    more of them, and others; SAMPLE=0 is all
# make mutation AGAIN=1              those that survived the last time
mutation: $(MUTATION_VENV)/.installed
	$(MUTATION_VENV)/bin/python -m benchmarks.mutation $(if $(ONLY),--only $(ONLY)) $(if $(SAMPLE),--sample $(SAMPLE)) \
	  $(if $(SEED),--seed $(SEED)) $(if $(AGAIN),--again)

$(MUTATION_VENV)/.installed: pyproject.toml
	test -x $(MUTATION_VENV)/bin/python || $(PYTHON) -m venv $(MUTATION_VENV)
	$(MUTATION_VENV)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(MUTATION_VENV)/bin/python -m pip install --quiet --editable ".[all]" --group mutation
	@touch $@

# Record the exchanges in tests/contract/cassettes again, with the server at ALYX_URL.
record: $(STAMP)
	find tests/contract/cassettes -mindepth 1 -maxdepth 1 ! -name lists -exec rm -r {} +
	$(RUN) -m pytest tests/contract --server=record

# Run the contract tests against the server at ALYX_URL; they delete the records that they create.
live: $(STAMP)
	$(RUN) -m pytest tests/contract --server=live

# Build the wheel, install it in a new environment, and generate and test a package for each generation of server.
wheel: $(STAMP)
	$(RUN) -m pytest -m slow -rP tests/generator/test_wheel.py

# Run the tests with the lowest versions of the dependencies.
lowest: $(LOWEST_VENV)/.installed
	$(LOWEST_VENV)/bin/python -m pytest $(if $(JOBS),-n $(JOBS) --dist worksteal)

# Build the source distribution, unpack it, and run its tests there.
sdist: $(STAMP)
	rm -rf build/sdist
	$(RUN) -m hatchling build -t sdist -d build/sdist
	cd build/sdist && tar -xzf *.tar.gz && cd */ && PYTHONPATH="$$PWD:$$PWD/generator" $(abspath $(RUN)) -m pytest

# Build what is uploaded, and check it. The builds are reproducible: their times are not those of the files.
dist: $(RELEASE_VENV)/.installed
	rm -rf build/dist
	env -u SOURCE_DATE_EPOCH $(RELEASE)/python -m build --outdir build/dist
	$(RELEASE)/twine check --strict build/dist/*
	$(RELEASE)/check-wheel-contents build/dist/*.whl
	$(RELEASE)/validate-pyproject pyproject.toml
	$(RELEASE)/pyroma --min 10 --skip-tests AuthorEmail .
	cd build/dist && sha256sum *

# Check the workflows, the issue forms and the citation by their published schemas, and the workflows' security.
project: $(RELEASE_VENV)/.installed
	$(RELEASE)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(RELEASE)/check-jsonschema --builtin-schema custom.github-workflows-require-timeout .github/workflows/*.yml
	$(RELEASE)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(RELEASE)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	$(RELEASE)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(RELEASE)/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff
	$(RELEASE)/zizmor --offline --persona pedantic .github

# Write the table of dependencies, with their licences and when they were released.
licences: $(STAMP) build/runtime-venv $(RELEASE_VENV)/.installed
	mkdir -p build/lock
	cp release/lock.toml build/lock/pyproject.toml
	$(RELEASE)/uv lock --quiet --project build/lock
	$(RELEASE)/pip-licenses --python build/runtime-venv/bin/python --from mixed --format json > build/lock/licences.json
	$(RUN) release/dependencies.py build/lock/uv.lock build/lock/licences.json > build/lock/DEPENDENCIES.md
	cp build/lock/DEPENDENCIES.md DEPENDENCIES.md

# Write a bill of materials of the package with all its extras.
sbom: build/runtime-venv $(RELEASE_VENV)/.installed
	mkdir -p build/sbom
	sed 's/^dynamic = .*/version = "$(VERSION)"/' pyproject.toml > build/sbom/pyproject.toml
	$(RELEASE)/cyclonedx-py environment --pyproject build/sbom/pyproject.toml --output-reproducible --validate \
	  --output-file build/sbom/alyx-client.cdx.json build/runtime-venv
	rm build/sbom/pyproject.toml

# Write the list of public names again; the differences are what the changelog has to say.
public-api: $(STAMP)
	$(RUN) -m tests.public_api

# make docs            build the documentation site in build/docs; warnings are errors
# make docs OFFLINE=1  without cross-references to the documentation of other projects
# make docs DOCS_URL=https://…                   with a menu of versions, each of which is in a folder there
# make docs DOCS_URL=https://… DOCS_VERSION=dev  as another version
docs: export DOCS_URL := $(DOCS_URL)
docs: export DOCS_VERSION := $(DOCS_VERSION)
docs: export OFFLINE := $(OFFLINE)
docs: $(DOCS_STAMP)
	$(SPHINX) --builder html --doctree-dir build/doctrees docs build/docs
	@echo "The pages are in build/docs."

# make site DOCS_URL=http://127.0.0.1:8000  build the site, and put it beside other versions in build/site
site:
	rm -rf build/docs # where pages that are gone would still be
	$(MAKE) docs DOCS_URL="$(DOCS_URL)" DOCS_VERSION="$(DOCS_VERSION)"
	$(RUN) release/publish_docs.py add build/docs build/site --url "$(DOCS_URL)"

# Check the addresses of other sites that the pages lead to; build/links/output.json lists all.
links: export OFFLINE := 1
links: $(DOCS_STAMP)
	$(SPHINX) --builder linkcheck --define nb_execution_mode=off \
	  --define suppress_warnings=myst-nb.lexer --doctree-dir build/links/doctrees docs build/links

$(DOCS_STAMP): $(STAMP)
	$(RUN) -m pip install --quiet --group docs
	@touch $(DOCS_STAMP)

clean:
	rm -rf $(VENV) $(ONE_VENV) $(PEERS_VENV) $(RELEASE_VENV) $(LOWEST_VENV) $(MUTATION_VENV) build .demo .pytest_cache .mypy_cache .ruff_cache
