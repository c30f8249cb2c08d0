"""Tests that need packages of the system's: left out where one is missing, named at the end, and never left out in CI.

A plugin of pytest. A test says `@pytest.mark.needs("nginx")`, by the names in `campushub360.local.packages`.
"""

import os
from collections import defaultdict
from typing import Any

import pytest

from campushub360.local import packages

KEY = "left_out"


def _stash(config: pytest.Config) -> dict[str, list[str]]:
    """Return the tests that were left out, with what each lacks."""
    found: dict[str, list[str]] = config.__dict__.setdefault(KEY, {})
    return found


def _needs(item: pytest.Item) -> set[str]:
    return {name for mark in item.iter_markers("needs") for name in mark.args}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    known = {package.name for package in packages.PACKAGES}
    if unknown := set().union(*map(_needs, items)) - known:
        raise pytest.UsageError(f"needs({', '.join(sorted(unknown))}): no package of campushub360.local.packages")
    absent = set(packages.missing())
    lacking = {item: sorted(_needs(item) & absent) for item in items}
    if any(lacking.values()):
        _stash(config).update({item.nodeid.partition("[")[0]: names for item, names in lacking.items() if names})
        config.hook.pytest_deselected(items=[item for item in items if lacking[item]])
        items[:] = [item for item in items if not lacking[item]]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    left_out = _stash(session.config)
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[KEY] = left_out
    elif left_out and os.environ.get("CI"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist left out."""
    _stash(node.config).update(getattr(node, "workeroutput", {}).get(KEY, {}))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left_out = _stash(config)
    if not left_out:
        return
    files: dict[str, list[str]] = defaultdict(list)
    for test in sorted(left_out):
        file, _, name = test.partition("::")
        files[file].append(name)
    terminalreporter.section("left out", yellow=True)
    for file, names in files.items():
        terminalreporter.write_line(f"{file}: {', '.join(names)}")
    lacking = sorted({name for names in left_out.values() for name in names})
    refusal = " Here none may be left out." if os.environ.get("CI") else ""
    terminalreporter.write_line(
        f"These tests need {', '.join(lacking)}, which this system has not: `{packages.COMMAND}` installs it.{refusal}"
    )
