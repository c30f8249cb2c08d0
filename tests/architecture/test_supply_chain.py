"""What a release is made of is pinned, listed and looked through by the checks that everybody runs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.test_dependency_floors import locked

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
# Made here from parts, so that the scan of this repository does not find them.
PLANTED = {
    "amazon.py": "KEY = '" + "AKIA" + "QK3XZ7PLM2WN5RT8" + "'\n",
    "private.pem": "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEow\n",
    "settings.py": "DATABASE_PASSWORD = '" + "h7Gq-" + "29xLmTz" + "'\n",
    "url.txt": "postgres://campus:" + "h7Gq29xLmTz" + "@db.example.edu/campus\n",
}


def recipe(target: str) -> str:
    """Return the commands that `make` would run for a target."""
    command = ["make", "--dry-run", "--no-print-directory", target]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def options_of(tool: str, *, which: int = 0) -> list[str]:
    """Return the options with which `make check` calls a tool."""
    commands = re.findall(rf"{tool} (.*)", recipe("check"))
    return [part.strip("'") for part in re.findall(r"'[^']*'|\S+", commands[which])]


@pytest.mark.checklist(78)
@pytest.mark.parametrize("path", ["Dockerfile", "campushub360/local/environment.py", ".ci/run", "Makefile"])
def test_nothing_is_installed_without_its_hashes(path: str) -> None:
    text = (ROOT / path).read_text()
    installs = [text[found.start() :][:200] for found in re.finditer(r'pip3? install|"pip", "install"', text)]

    assert [install for install in installs if "--require-hashes" not in install] == []


@pytest.mark.checklist(78)
def test_the_list_of_what_a_release_consists_of_is_complete_and_carries_hashes(tmp_path: Path) -> None:
    command = next(line for line in recipe("sbom").replace("\\\n", " ").splitlines() if "cyclonedx-py" in line)
    target = tmp_path / "sbom.json"

    subprocess.run([TOOLS / "cyclonedx-py", *command.split()[1:-1], target], cwd=ROOT, capture_output=True, check=True)

    listed = json.loads(target.read_text())
    assert listed["bomFormat"] == "CycloneDX"
    assert listed["metadata"]["component"]["name"] == "campushub360"
    parts = {part["name"].lower().replace("_", "-"): part for part in listed["components"]}
    assert {name: part["version"] for name, part in parts.items()} == locked("production")
    assert [name for name, part in parts.items() if not part["externalReferences"][0].get("hashes")] == []


@pytest.mark.checklist(75)
@pytest.mark.parametrize("name", PLANTED)
def test_the_scan_for_secrets_finds_one_that_was_left_lying_about(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(PLANTED[name])

    found = subprocess.run(
        [TOOLS / "detect-secrets-hook", *options_of("detect-secrets-hook"), tmp_path / name],
        capture_output=True,
        check=False,
        cwd=tmp_path,
    )

    assert found.returncode == 1, found.stdout


def test_the_scan_looks_at_the_files_of_a_checkout_that_belongs_to_somebody_else(tmp_path: Path) -> None:
    lists = [line for line in recipe("check-code").splitlines() if " ls-files " in line]
    (tmp_path / "tests").mkdir()
    (tmp_path / ".campus").mkdir()
    for name in ("code.py", "tests/test_code.py"):
        (tmp_path / name).touch()
    for command in (["init", "--quiet"], ["add", "."]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)

    for line in lists:
        environment = os.environ | {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
        subprocess.run(["sh", "-c", line], cwd=tmp_path, env=environment, check=True)

    listed = {path.name: path.read_text().split("\0")[:-1] for path in (tmp_path / ".campus").iterdir()}
    assert listed == {
        "code.files": ["code.py"],
        "all.files": ["code.py"],
        "tests.files": ["tests/test_code.py"],
    }


@pytest.mark.checklist(75)
@pytest.mark.parametrize("name", ["amazon.py", "private.pem"])
def test_the_scan_of_the_tests_lets_made_up_passwords_pass_and_no_real_key(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(PLANTED[name])
    (tmp_path / "settings.py").write_text(PLANTED["settings.py"])
    command = [TOOLS / "detect-secrets-hook", *options_of("detect-secrets-hook", which=1)]

    codes = [
        subprocess.run([*command, tmp_path / file], capture_output=True, check=False, cwd=tmp_path).returncode
        for file in (name, "settings.py")
    ]

    assert codes == [1, 0]


@pytest.mark.checklist(78)
def test_the_scan_for_unsafe_code_refuses_what_is_of_medium_severity(tmp_path: Path) -> None:
    (tmp_path / "unsafe.py").write_text("import yaml\nyaml.load(open('x'))\n")
    (tmp_path / "sound.py").write_text("import yaml\nyaml.safe_load(open('x'))\n")
    command = [TOOLS / "bandit", *options_of("bandit")]

    codes = [
        subprocess.run([*command, tmp_path / file], capture_output=True, check=False).returncode
        for file in ("unsafe.py", "sound.py")
    ]

    assert codes == [1, 0]


@pytest.mark.checklist(75)
def test_the_checks_hold_a_production_configuration_to_every_deployment_warning() -> None:
    assert re.search(r"settings\.production.*check --deploy --fail-level WARNING", recipe("check"))


@pytest.mark.checklist(78)
def test_an_audit_counts_no_package_as_sound_that_was_not_asked_about() -> None:
    audits = re.findall(r"pip-audit .*", recipe("audit"))

    assert len(audits) == 2
    assert all("--strict" in audit and "--require-hashes" in audit for audit in audits)
