"""The installed versions are at least those that close known holes. Needs no network, so cannot pass by accident."""

from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

FLOORS = {
    "Django": "5.2.18",
    "djangorestframework": "3.17.2",
    "djangorestframework-simplejwt": "5.5.1",
    "PyJWT": "2.13",
    "gunicorn": "26.1",
    "celery": "5.6.3",
    "psycopg": "3.3",
    "cryptography": "50",
}
REQUIREMENTS = Path(__file__).parents[2] / "requirements"


@pytest.mark.parametrize(("package", "floor"), FLOORS.items())
def test_a_package_is_not_below_its_security_floor(package, floor):
    assert Version(version(package)) >= Version(floor)


@pytest.mark.parametrize("name", ["base", "production", "demo", "development"])
def test_every_locked_package_carries_hashes_and_names_no_registry(name):
    text = (REQUIREMENTS / f"{name}.txt").read_text()
    packages = [line for line in text.splitlines() if line and line[0].isalnum()]

    assert packages
    assert all("==" in line for line in packages)
    assert text.count("--hash=sha256:") >= len(packages)
    assert "://" not in text.replace("# via", "")
