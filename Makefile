# All that a fresh Debian machine needs is make: `make demo` to see it work, `make test` to test it.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTEST ?=
WORKERS ?= 3
BENCH ?=

APT = DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends
MAY_INSTALL = [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null

.PHONY: help demo test faults bench lint types docs clean

help:
	@echo "make demo    run the examples on this machine, without SSH: a summary, and JUnit files in reports/"
	@echo "make test    run every test; as root with the live ones, on test hosts made of namespaces"
	@echo "             (PYTEST='-k word' is handed on to pytest)"
	@echo "make faults  run the fault matrix, as root, in some minutes, and write its table into docs/"
	@echo "make bench   measure everything beside its peers, as root, in a quarter of an hour; tables and charts into docs/"
	@echo "             (BENCH='commands --rounds 3' is handed on to python -m benchmarks)"
	@echo "make lint    ruff           make types   mypy"
	@echo "make docs    the documentation, into build/docs"
	@echo "make clean   remove what make has made"

demo: $(VENV)/.installed
	$(BIN)/python -m glusto -c configs/quickstart.yml

test: $(VENV)/.installed-test
	@$(call install_test_hosts)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(PYTEST)

bench: $(VENV)/.installed-bench
	@$(call install_test_hosts)
	@if ! command -v rsync >/dev/null && $(MAY_INSTALL); then apt-get update --quiet && $(APT) rsync; fi
	$(BIN)/python -m benchmarks $(BENCH)

faults: $(VENV)/.installed-test
	@$(call install_test_hosts)
	@mkdir -p build
	$(BIN)/python -m pytest tests/faults -m fault --junitxml=build/faults.xml $(PYTEST)
	$(BIN)/python -m tests.faults.table build/faults.xml docs/faults-table.rst

lint: $(VENV)/.installed-test
	$(BIN)/ruff check

types: $(VENV)/.installed-test
	$(BIN)/mypy

docs: $(VENV)/.installed-test
	$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet -b html docs build/docs

clean:
	rm -rf $(VENV) .venv-* build dist reports *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The virtual environment: made once, and again when pyproject.toml asks for something else.

$(BIN)/python:
	@$(call install_venv)
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(PIP) --editable .
	@touch $@

$(VENV)/.installed-test: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[test]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-bench: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[bench]'
	@touch $@ $(VENV)/.installed

# Debian has venv in a package of its own.
define install_venv
	if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
		if $(MAY_INSTALL); then apt-get update --quiet && $(APT) python3 python3-venv; \
		else echo "$(PYTHON) can't make virtual environments. On Debian: sudo apt-get install python3-venv" >&2; exit 1; fi; \
	fi; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Glusto needs Python 3.11 or newer: make PYTHON=python3.12 …" >&2; exit 1; }
endef

# What test hosts are made of, and Chromium, for the HTML report. Where it may not be installed, the live tests skip and say why.
# The sshd of the package is not started, now or at the next boot: test hosts run their own.
define install_test_hosts
	missing=; \
	[ -x /usr/sbin/sshd ] || missing="$$missing openssh-server"; \
	command -v ssh >/dev/null || missing="$$missing openssh-client"; \
	command -v ip >/dev/null || [ -x /sbin/ip ] || missing="$$missing iproute2"; \
	command -v ps >/dev/null || missing="$$missing procps"; \
	command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing="$$missing chromium fonts-dejavu-core"; \
	if [ -n "$$missing" ] && $(MAY_INSTALL); then \
		policy=/usr/sbin/policy-rc.d; made=; \
		[ -e $$policy ] || { made=yes; printf '#!/bin/sh\nexit 101\n' > $$policy; chmod 755 $$policy; }; \
		apt-get update --quiet && $(APT) $$missing; done=$$?; \
		[ -z "$$made" ] || rm -f $$policy; \
		case $$missing in *openssh-server*) \
			if command -v systemctl >/dev/null; then systemctl disable --quiet ssh.service ssh.socket || true; fi;; \
		esac; \
		[ $$done = 0 ] || exit $$done; \
	elif [ -n "$$missing" ]; then echo "not installed, so that the live tests will skip:$$missing" >&2; fi
endef
