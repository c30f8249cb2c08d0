"""The locked and installed versions are at least those that close known holes. Asks nobody, so cannot pass by accident.

A floor stands here for a reason: a flaw that the version before it has.
"""

import re
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

FLOORS = {
    "django": "5.2.18",
    "djangorestframework": "3.17.2",
    "djangorestframework-simplejwt": "5.5.1",
    "pyjwt": "2.13",
    "gunicorn": "26.1",
    "celery": "5.6.3",
    "psycopg": "3.3",
    "cryptography": "50",
}
# Packages that have a floor from the day they are added.
FLOORS_IF_LOCKED = {"django-allauth": "65.15"}
REQUIREMENTS = Path(__file__).parents[2] / "requirements"
LOCKS = ["base", "production", "demo", "development"]
PINNED = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^]]*\])?==([^ ;\\]+)", re.MULTILINE)

pytestmark = pytest.mark.checklist(78)


def locked(name: str) -> dict[str, str]:
    """Return the versions that a lock file pins, by the packages' normal names."""
    text = (REQUIREMENTS / f"{name}.txt").read_text()
    return {re.sub(r"[-_.]+", "-", package).lower(): pinned for package, pinned in PINNED.findall(text)}


@pytest.mark.parametrize(("package", "floor"), FLOORS.items())
def test_a_package_is_not_below_its_security_floor(package: str, floor: str) -> None:
    assert Version(version(package)) >= Version(floor)


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_file_pins_a_package_below_its_security_floor(name: str) -> None:
    pinned = locked(name)
    floors = FLOORS | {package: floor for package, floor in FLOORS_IF_LOCKED.items() if package in pinned}

    assert {
        package: pinned[package] for package, floor in floors.items() if Version(pinned[package]) < Version(floor)
    } == {}


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_carries_hashes_and_names_no_registry(name: str) -> None:
    text = (REQUIREMENTS / f"{name}.txt").read_text()
    packages = [entry for entry in re.split(r"\n(?=\S)", text) if entry[0].isalnum()]

    assert packages
    assert [entry.splitlines()[0] for entry in packages if not re.match(r"\S+==\S+ ", entry)] == []
    assert [entry.splitlines()[0] for entry in packages if "--hash=sha256:" not in entry] == []
    assert "://" not in text.replace("# via", "")
