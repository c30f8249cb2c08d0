# Every command a person types. CI calls the same ones.

SHELL := /bin/sh
.DEFAULT_GOAL := help
# One after the other, but for the checks, which need nothing of each other.
ifeq ($(filter check,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif
# Whoever has set it would have every process compile all modules anew, and dozens are started.
unexport PYTHONDONTWRITEBYTECODE

# Any Python from 3.11 on that can make virtual environments; `make PYTHON=/path/to/python3.12 run` names one.
PYTHON ?= $(shell for candidate in python3.11 python3.12 python3.13 python3; do \
	$$candidate -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$candidate && break; done)
VENV := .venv/bin
MANAGE := $(VENV)/python manage.py
# The files of the checkout, whoever it belongs to.
FILES := git -c safe.directory='*' ls-files -z --
SCALE ?= small
WORKERS ?= 2
ARGS ?=

# A configuration that production accepts, for the checks of its settings. Nothing listens behind it.
SAFE_ENVIRONMENT := DJANGO_SETTINGS_MODULE=campushub360.settings.production \
	SECRET_KEY=sample-5b0c2f7d9e8a41c6b3f0a2d4e6c8b1f3a5d7e9c0b2f4a6d8e1c3 \
	ENCRYPTION_KEYS=sample:YY7TZCfCKASFbdg9mWkmcEUldcKCjMRnf5LJnFrg8oQ= \
	BLIND_INDEX_KEY=T9+DAYX4SlfvUcDKUQ2MuKeawzr+Zhr/Qar2RND5q2w= \
	ALLOWED_HOSTS=campus.example.edu FORWARDED_ALLOW_IPS=192.0.2.10 \
	DATABASE_URL=postgres://campushub360:sample-7d2f9c@database.invalid/campushub360 \
	REDIS_URL=redis://:sample-1b8e4a@cache.invalid/0 REDIS_STATE_URL=redis://:sample-6c3d5f@state.invalid/0 \
	PUBLIC_URL=https://campus.example.edu EMAIL_URL=smtp+tls://mail.invalid:587 MAIL_FROM=campus@example.edu

# Lines that look like a secret and are an example, and what is looked for beside the tests' own made-up passwords.
SAMPLES := sample-|only-for-this-line|the-tests-own-|password_encryption = |user:password@|"your password"
UNLESS_TESTS := KeywordDetector BasicAuthDetector Base64HighEntropyString HexHighEntropyString JwtTokenDetector

.PHONY: help run stack stack-down test system-packages check check-code check-types check-project bench bench-text profile authz-mutants security-checklist sbom audit seed schema shell format lock clean environment-demo environment-development environment-python

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

run: environment-demo ## Start everything on http://127.0.0.1:8000 (PORT=, DEMO_PASSWORD=); Ctrl-C stops it
	@exec $(VENV)/python -m campushub360.local.supervisor

stack: environment-demo ## Start the whole topology on https://localhost:8443 in the background (PORT=, SCALE=, APP_REPLICAS=)
	@$(VENV)/python -m campushub360.local.stack up

stack-down: environment-demo ## End every process of the stack; its data stays in .campus/stack
	@$(VENV)/python -m campushub360.local.stack down

test: environment-development ## Run the whole test suite (ARGS="-k word tests/students" narrows it, WORKERS= sets how many at once)
	@$(VENV)/python -m campushub360.local.packages --where-allowed
	@$(VENV)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

system-packages: environment-python ## Install nginx with Lua, PgBouncer, clamd and what else the stack and the tests need (Debian, Ubuntu)
	@$(PYTHON) -m campushub360.local.packages

check: check-code check-types check-project ## All the checks that follow (--jobs=2 runs them side by side)

check-code: environment-development ## Formatting, lint, layers, unsafe code, secrets
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(VENV)/lint-imports
	@# By way of files, since the exit status of a pipe is that of its end: of no files nothing is wrong.
	@mkdir -p .campus
	$(FILES) '*.py' ':!tests' > .campus/code.files
	< .campus/code.files xargs -0 $(VENV)/bandit --quiet --severity-level medium
	$(FILES) . ':!tests' ':!requirements/*.txt' ':!benchmarks/*/*.txt' ':!campushub360/openapi.yaml' > .campus/all.files
	< .campus/all.files xargs -0 $(VENV)/detect-secrets-hook --no-verify --exclude-lines '$(SAMPLES)'
	$(FILES) tests > .campus/tests.files
	< .campus/tests.files xargs -0 $(VENV)/detect-secrets-hook --no-verify $(UNLESS_TESTS:%=--disable-plugin %)

check-types: environment-development ## Types
	$(VENV)/mypy .

check-project: environment-development ## Migrations, deployment settings, API schema, error codes
	$(MANAGE) check --fail-level WARNING
	$(MANAGE) makemigrations --check --dry-run
	LOG_LEVEL=WARNING $(MANAGE) lintmigrations
	$(SAFE_ENVIRONMENT) $(MANAGE) check --deploy --fail-level WARNING
	$(MANAGE) spectacular --validate --fail-on-warn --file .campus/openapi.yaml
	diff -u campushub360/openapi.yaml .campus/openapi.yaml || { echo 'The API changed: `make schema` records it.'; exit 1; }
	$(MANAGE) error_reference --check

bench: environment-development ## Measure what docs/performance.md claims, against baselines in the same run (ARGS=--quick to try it, SCALE=)
	@$(VENV)/python -m benchmarks $(if $(filter file,$(origin SCALE)),,--scale $(SCALE)) $(ARGS)

bench-text: environment-development ## Measure whether similarity tells copies from answers of one's own, and how quickly (ARGS=--quick)
	@$(VENV)/python -m benchmarks.texts $(ARGS)

profile: environment-development ## Say where the time of a list and of a remembered one goes (SCALE=)
	@$(VENV)/python -m benchmarks.profile $(if $(filter file,$(origin SCALE)),,$(SCALE))

authz-mutants: environment-development ## Take each line of the policy away in turn; the matrix has to notice (ARGS="Department" tries some; minutes)
	@AUTHZ_SLICE='$(ARGS)' $(VENV)/pytest tests/authorization/mutants.py -q --no-header --tb=line

security-checklist: environment-development ## Record in docs/reference which tests show which line of the security checklist
	@$(VENV)/python -m tests.authorization.checklist

sbom: environment-development ## List what a release consists of, with versions and hashes, in .campus/sbom.json (CycloneDX)
	@mkdir -p .campus
	$(VENV)/cyclonedx-py requirements requirements/production.txt --pyproject pyproject.toml --mc-type application \
		--output-reproducible --output-file .campus/sbom.json

audit: environment-development ## Ask the vulnerability service on the net about every locked package
	@# Without --strict a package that the service could not be asked about would count as sound.
	$(VENV)/pip-audit --strict --require-hashes --disable-pip --requirement requirements/production.txt
	$(VENV)/pip-audit --strict --require-hashes --disable-pip --requirement requirements/development.txt

seed: environment-demo ## Fill the database with demo data (SCALE=small, medium or large; ARGS="--attendance-months 3")
	@$(MANAGE) migrate --verbosity 0 && $(MANAGE) seed_demo --scale $(SCALE) $(ARGS)

schema: environment-development ## Record the API in campushub360/openapi.yaml and its error codes in docs/reference
	$(MANAGE) spectacular --validate --fail-on-warn --file campushub360/openapi.yaml
	$(MANAGE) error_reference

shell: environment-demo ## Open a Python shell with the models at hand
	@$(MANAGE) shell

format: environment-development ## Format the code and mend what lint can mend
	$(VENV)/ruff format .
	$(VENV)/ruff check --fix .

lock: environment-development ## Resolve requirements/*.in anew into the locked *.txt, and what `make bench` needs besides
	@cd requirements && for name in base demo production development; do \
		../$(VENV)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-header --upgrade $$name.in -o $$name.txt || exit 1; done
	@for folder in baselines chart locust; do (cd benchmarks/$$folder && ../../$(VENV)/uv pip compile --quiet --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade requirements.in \
		-o requirements.txt) || exit 1; done

clean: ## Stop what runs here; remove .campus (with its data) and every cache, but not .venv
	@if [ -x $(VENV)/python ]; then $(VENV)/python -B -m campushub360.local.clean; else rm -rf .campus; fi

environment-demo environment-development: environment-%: environment-python
	@$(PYTHON) -m campushub360.local.environment $*

environment-python:
	@if [ -z "$(PYTHON)" ]; then echo 'make: no Python 3.11 or later that can make virtual environments was found:' \
		'install one (Debian: apt-get install python3-venv) or name it with `make PYTHON=...`' >&2; exit 1; fi
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'make: $(PYTHON) is not Python 3.11 or later: '"$$($(PYTHON) --version 2>&1)" >&2; exit 1; }
