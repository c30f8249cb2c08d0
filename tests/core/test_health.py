"""Probes that tell the truth in time, also about dependencies that are closed, hung or full."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from rest_framework.test import APIClient

from core import health
from core.health import DEPENDENCIES, HealthChecker, health_checker, memory

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def a_checker_of_its_own(settings: Any) -> Iterator[None]:
    """Let no result of another test be reused, and nothing hang for long."""
    settings.HEALTH = {"seconds": 5, "fresh_seconds": 0}
    health_checker.cache_clear()
    yield
    health_checker.cache_clear()


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class HungServer:
    """Accepts connections and never says a word."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.accepted: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                self.accepted.append(self._socket.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        for accepted in self.accepted:
            accepted.close()


@pytest.fixture
def hung_server() -> Iterator[HungServer]:
    server = HungServer()
    yield server
    server.close()
    for thread in threading.enumerate():
        if thread.name.startswith("health-"):
            thread.join(30)


@pytest.fixture
def move_database(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def move(port: int) -> None:
        monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        monkeypatch.setitem(connection.settings_dict, "PORT", port)

    return move


@pytest.fixture
def move_cache(settings: Any) -> Callable[[int], None]:
    def move(port: int) -> None:
        default = {**settings.CACHES["default"], "LOCATION": f"redis://127.0.0.1:{port}/0"}
        settings.CACHES = {"default": default}

    return move


@pytest.mark.django_db
def test_what_is_well_is_found_well() -> None:
    checks = HealthChecker(seconds=5).report()

    assert {name: check.reason for name, check in checks.items()} == dict.fromkeys(DEPENDENCIES, "")
    assert all(checks.values())


@pytest.mark.django_db
def test_each_dependency_can_be_asked_alone() -> None:
    checker = HealthChecker(seconds=5)

    assert checker.check_database()
    assert checker.check_migrations()
    assert checker.check_cache()
    assert checker.check_redis()
    assert checker.check_disk()
    assert checker.check_memory()


def test_a_database_that_refuses_connections_is_ill(closed_port: int, move_database: Callable[[int], None]) -> None:
    move_database(closed_port)

    check = HealthChecker(seconds=5).check_database()

    assert not check
    assert check.reason.startswith("OperationalError")


def test_a_cache_that_refuses_connections_is_ill(closed_port: int, move_cache: Callable[[int], None]) -> None:
    move_cache(closed_port)

    assert not HealthChecker(seconds=5).check_cache()


def test_a_redis_that_refuses_connections_is_ill(closed_port: int, settings: Any) -> None:
    settings.REDIS_STATE_URL = f"redis://127.0.0.1:{closed_port}/0"

    assert not HealthChecker(seconds=5).check_redis()


def test_a_hung_database_is_not_waited_for(hung_server: HungServer, move_database: Callable[[int], None]) -> None:
    move_database(hung_server.port)

    check = HealthChecker(seconds=0.2).check_database()

    assert not check
    assert check.reason == "no answer in time"


def test_a_hung_database_is_asked_once_however_often_somebody_wants_to_know(
    hung_server: HungServer, move_database: Callable[[int], None]
) -> None:
    move_database(hung_server.port)
    checker = HealthChecker(seconds=0.1)

    checks = [checker.check_database() for _ in range(5)]

    assert not any(checks)
    assert [thread.name for thread in threading.enumerate()].count("health-database") == 1


def test_a_hung_cache_and_a_hung_redis_are_not_waited_for(
    hung_server: HungServer, move_cache: Callable[[int], None], settings: Any
) -> None:
    move_cache(hung_server.port)
    settings.REDIS_STATE_URL = f"redis://127.0.0.1:{hung_server.port}/0"

    checks = HealthChecker(seconds=0.1).report(["cache", "redis"])

    assert not any(checks.values())


@pytest.mark.django_db
def test_one_hung_dependency_does_not_hide_the_health_of_others(
    hung_server: HungServer, move_cache: Callable[[int], None]
) -> None:
    move_cache(hung_server.port)

    checks = HealthChecker(seconds=5).report(["cache", "database", "disk_space"])

    assert {name: bool(check) for name, check in checks.items()} == {
        "cache": False,
        "database": True,
        "disk_space": True,
    }


@pytest.mark.django_db
def test_a_fresh_result_is_reused(closed_port: int, move_database: Callable[[int], None]) -> None:
    patient, impatient = HealthChecker(seconds=5, fresh_seconds=600), HealthChecker(seconds=5, fresh_seconds=0)
    before = patient.check_database(), impatient.check_database()
    move_database(closed_port)

    after = patient.check_database(), impatient.check_database()

    assert [bool(check) for check in (*before, *after)] == [True, True, True, False]


def test_a_disk_with_too_little_room_is_ill() -> None:
    check = HealthChecker(disk_free_percent=101).check_disk()

    assert not check
    assert check.reason.endswith("% of the disk is free")


def test_a_disk_that_is_not_there_is_ill() -> None:
    assert HealthChecker(disk_path="/nowhere").check_disk().reason.startswith("FileNotFoundError")


def test_too_little_memory_is_ill() -> None:
    assert not HealthChecker(memory_free_percent=101).check_memory()


def test_a_container_is_measured_by_its_own_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("900000\n")
    (tmp_path / "memory.stat").write_text("anon 500000\ninactive_file 100000\n")
    monkeypatch.setattr(health, "CGROUP", tmp_path)

    assert memory() == (1_000_000, 200_000)


def test_a_container_without_a_limit_is_measured_by_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "memory.max").write_text("max\n")
    monkeypatch.setattr(health, "CGROUP", tmp_path)

    total, available = memory()

    assert 0 < available <= total


@pytest.mark.django_db(transaction=True)
def test_a_database_that_lacks_a_migration_is_not_ready(client: Client) -> None:
    applied = MigrationRecorder.Migration.objects.get(app="core", name="0002_outbox_and_idempotency")
    applied.delete()
    try:
        response = client.get("/readyz")
    finally:
        applied.save(force_insert=True)

    assert response.status_code == 503
    assert response.json()["checks"]["migrations"] == "fail"
    assert client.get("/readyz").status_code == 200


def test_a_live_process_says_so_without_asking_the_database(client: Client) -> None:
    response = client.get("/livez")

    assert (response.status_code, response.json()) == (200, {"status": "alive"})


@pytest.mark.django_db
def test_a_ready_process_says_so(client: Client) -> None:
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert response.json() == {
        "status": "ready",
        "checks": {"database": "ok", "migrations": "ok", "cache": "ok"},
    }


def test_without_its_database_a_process_is_not_ready(
    client: Client, closed_port: int, move_database: Callable[[int], None]
) -> None:
    move_database(closed_port)

    response = client.get("/readyz")

    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert response.json()["checks"]["database"] == "fail"


def test_with_a_hung_database_a_process_is_not_ready_and_says_so_in_time(
    client: Client, hung_server: HungServer, move_database: Callable[[int], None], settings: Any
) -> None:
    settings.HEALTH = {"seconds": 0.2}
    move_database(hung_server.port)

    assert client.get("/readyz").status_code == 503


@pytest.mark.django_db
def test_without_its_cache_a_process_is_slower_and_still_ready(
    client: Client, closed_port: int, move_cache: Callable[[int], None]
) -> None:
    move_cache(closed_port)

    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json()["checks"]["cache"] == "fail"


@pytest.mark.django_db
def test_an_installation_may_require_more_to_be_ready(
    client: Client, closed_port: int, move_cache: Callable[[int], None], settings: Any
) -> None:
    settings.READINESS_REQUIRES = ("database", "cache")
    move_cache(closed_port)

    assert client.get("/readyz").status_code == 503


@pytest.fixture
def draining() -> Iterator[None]:
    health.start_draining()
    yield
    health._draining.clear()


def test_a_draining_process_wants_no_more_requests_and_lives(client: Client, draining: None) -> None:
    response = client.get("/readyz")

    assert (response.status_code, response.json()["status"]) == (503, "draining")
    assert client.get("/livez").status_code == 200


SIGNALLED = """
import os, signal
from core.health import drain_on_sigterm, is_draining
{former}
drain_on_sigterm()
os.kill(os.getpid(), signal.SIGTERM)
print("draining" if is_draining() else "not draining")
"""


def run(former: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", SIGNALLED.format(former=former)],
        cwd=CHECKOUT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_sigterm_starts_the_draining_and_whatever_it_did_before() -> None:
    code, output = run("signal.signal(signal.SIGTERM, lambda *_: print('stopping'))")

    assert (code, output) == (0, "stopping\ndraining\n")


def test_sigterm_still_ends_a_process_that_did_not_handle_it() -> None:
    assert run("") == (128 + signal.SIGTERM, "")


@pytest.mark.checklist(74)
@pytest.mark.django_db
def test_strangers_learn_names_and_verdicts_only(client: Client) -> None:
    response = client.get("/health/")

    document = response.json()
    assert response.status_code == 200
    assert document["status"] == "healthy"
    assert document["checks"] == dict.fromkeys(DEPENDENCIES, "ok")
    assert set(document) == {"status", "checks", "timestamp"}


@pytest.mark.django_db
def test_staff_learn_figures(client: Client, registrar: Any, registrar_client: APIClient) -> None:
    client.force_login(registrar)

    by_session, by_token = client.get("/health/").json(), registrar_client.get("/health/").json()

    for document in (by_session, by_token):
        assert document["checks"]["disk_space"]["free_bytes"] > 0
        assert document["checks"]["memory"]["process_bytes"] > 0
        assert document["checks"]["database"]["status"] == "ok"


@pytest.mark.checklist(74)
@pytest.mark.django_db
def test_callers_who_are_not_staff_learn_no_figures(user_with: Any, client_for: Any) -> None:
    student = client_for(user_with("student"))

    assert student.get("/health/").json()["checks"] == dict.fromkeys(DEPENDENCIES, "ok")


@pytest.mark.checklist(74)
@pytest.mark.django_db
@pytest.mark.parametrize("wanting", ["password", "second factor"])
def test_staff_whose_account_is_not_in_order_learn_none_as_the_api_answers_them_nothing(
    client: Client, user_with: Any, client_for: Any, settings: Any, wanting: str
) -> None:
    settings.MFA_REQUIRED_ROLES = ["staff"] if wanting == "second factor" else []
    registrar = user_with("registrar", is_staff=True, must_change_password=wanting == "password")
    by_token = client_for(registrar)
    client.force_login(registrar)

    assert by_token.get("/api/v1/departments/").status_code == 403
    for caller in (by_token, client):
        assert caller.get("/health/").json()["checks"] == dict.fromkeys(DEPENDENCIES, "ok")


@pytest.mark.django_db
def test_staff_who_have_shown_their_second_factor_learn_figures(client: Client, registrar: Any, settings: Any) -> None:
    settings.MFA_REQUIRED_ROLES = ["staff"]
    client.force_login(registrar)
    session = client.session
    session["means"] = ["pwd", "otp"]
    session.save()

    assert client.get("/health/").json()["checks"]["database"]["status"] == "ok"


@pytest.mark.django_db
def test_a_wrong_token_is_a_stranger(client: Client) -> None:
    response = client.get("/health/", headers={"Authorization": "Bearer wrong"})

    assert response.status_code == 200
    assert response.json()["checks"]["database"] == "ok"


@pytest.mark.django_db
def test_the_ill_are_named_with_503(client: Client, settings: Any) -> None:
    settings.HEALTH = {"seconds": 5, "disk_free_percent": 101}

    response = client.get("/health/")

    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert response.json()["status"] == "unhealthy"
    assert response.json()["checks"]["disk_space"] == "fail"


def test_without_a_database_even_staff_get_an_answer(
    closed_port: int, move_database: Callable[[int], None], client: Client
) -> None:
    move_database(closed_port)

    response = client.get("/health/", headers={"Authorization": "Bearer anything"})

    assert response.status_code == 503
    assert response.json()["checks"]["database"] == "fail"


@pytest.mark.parametrize("url", ["/livez", "/readyz", "/health/"])
def test_probes_can_only_be_read(client: Client, url: str) -> None:
    assert client.post(url).status_code == 405
