"""The deployment's files agree with each other: compose, image, PgBouncer, PostgreSQL, Redis and nginx."""

import configparser
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from campushub360.local import CHECKOUT
from campushub360.local.stack import compose
from campushub360.local.stack.compose import VARIABLE
from campushub360.settings.base import database
from campushub360.settings.faults import faults
from campushub360.settings.protection import RATE_LIMITS_DEFAULT
from core.security.limiter import Limit
from files.archives import MOST_UNPACKED
from files.clamd import SCAN_SECONDS

COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SHAPED = {
    "PUBLIC_URL": "https://campus.example.edu",
    "EMAIL_URL": "smtp+tls://campus:c3f81e20@mail.invalid:587",
    "MAIL_FROM": "campus@example.edu",
    "ENCRYPTION_KEYS": "key1:8I2vJ0m1cZ4yTq7bRwXe5uLsNnKdPf3hGgAaVtYjBzE=",
    "BLIND_INDEX_KEY": "wq3Zs8Yk1VdJ6fTtLmXo0rPbHcGeN5uA7iQyE2xKj9M=",
}
# With a default, and with something else in its place where there is one.
OPTIONAL = (":-", ":+")
DATABASE_URLS = ("DATABASE_URL", "DATABASE_DIRECT_URL")
# How often keys and tokens may be tried is none.
SECRETS = re.compile(r"^(?!RATE_LIMIT_).*(?:PASSWORD|SECRET|KEY|TOKEN)")


def compose_text() -> str:
    return (CHECKOUT / "docker-compose.yml").read_text()


def settings_in(path: str) -> dict[str, str]:
    """Return the settings of a `name = value` or `name value` file, without comments."""
    lines = [re.sub(r"\s#.*|^[#;].*", "", line).strip() for line in (CHECKOUT / path).read_text().splitlines()]
    pairs = [re.split(r"\s*=\s*|\s+", line, maxsplit=1) for line in lines if line and not line.startswith("[")]
    return {name: value.strip("'\"") for name, value in pairs}


def pgbouncer() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(comment_prefixes=(";", "#"))
    parser.read(CHECKOUT / "pgbouncer.ini")
    return parser["pgbouncer"]


def environment_of(service: str) -> dict[str, str]:
    """Return what compose gives `service` when every required variable is filled in with something safe."""
    required = {match["name"] for match in VARIABLE.finditer(compose_text()) if match["rest"][:2] not in OPTIONAL}
    values = {name: f"{name}-8f3b1c7e5d9a2046-Zq7Xw9Yv4Ut6Sr2PnMkLj3Hg5Fd1" for name in required}
    return compose.environment_of(service, values | SHAPED)


def test_every_variable_of_compose_is_explained_in_the_example() -> None:
    explained = set(re.findall(r"^([A-Z_]+)=", (CHECKOUT / ".env.example").read_text(), re.MULTILINE))

    used = {match["name"] for match in VARIABLE.finditer(re.sub(r"^\s*#.*", "", compose_text(), flags=re.MULTILINE))}

    assert used == explained


def test_no_secret_has_a_default() -> None:
    # One that may be missing altogether is empty by default, which opens nothing.
    optional = [
        match["name"]
        for match in VARIABLE.finditer(compose_text())
        if not match["rest"].startswith(":?") and match["rest"] != ":-"
    ]
    filled = re.findall(r"^([A-Z_]+)=.+", (CHECKOUT / ".env.example").read_text(), re.MULTILINE)

    assert [name for name in [*optional, *filled] if SECRETS.search(name)] == []


def test_no_url_carries_a_written_out_password() -> None:
    urls = re.findall(r"\w+://[^\s\"']+@", compose_text())

    assert urls
    assert [url for url in urls if "${" not in url] == []


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_service_is_limited_logged_with_rotation_and_watched(service: str) -> None:
    definition = SERVICES[service]

    assert set(definition["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert definition["logging"]["options"]["max-size"]
    # The image of ours brings its own check.
    assert definition.get("healthcheck") or definition["image"].startswith("campushub360:")
    assert ":latest" not in definition["image"].replace("campushub360:${VERSION:-latest}", "")


def test_only_the_edge_can_be_reached_from_outside() -> None:
    assert [name for name, definition in SERVICES.items() if definition.get("ports")] == ["edge"]
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_every_mounted_file_and_named_volume_exists() -> None:
    mounts = [mount for definition in SERVICES.values() for mount in definition.get("volumes", [])]
    sources = {mount.split(":")[0] for mount in mounts if not mount.startswith("${")}

    files = {source for source in sources if source.startswith(".")}
    assert [name for name in files if not (CHECKOUT / name).exists()] == []
    assert sources - files == set(COMPOSE["volumes"])


def test_every_dependency_is_a_service_with_a_check_that_can_come_true() -> None:
    for definition in SERVICES.values():
        for name, wish in definition.get("depends_on", {}).items():
            needed = SERVICES[name]
            if wish["condition"] == "service_completed_successfully":
                assert needed["restart"] == "no"
            else:
                assert not needed.get("healthcheck", {}).get("disable")


@pytest.mark.parametrize("service", ["app", "worker", "beat", "relay"])
def test_production_accepts_the_configuration_that_compose_makes(service: str) -> None:
    assert faults(environment_of(service)) == []


def test_the_connection_arithmetic_holds_from_the_workers_to_the_server() -> None:
    environment = environment_of("app")
    pool = int(pgbouncer()["default_pool_size"])

    assert pool == int(environment["DATABASE_MAX_CONNECTIONS"])
    assert int(pgbouncer()["max_db_connections"]) == pool
    assert pool + 30 <= int(settings_in("deploy/postgres/postgresql.conf")["max_connections"])
    # Everybody who may connect at all gets into the line, and waits there no longer than in the application's own.
    assert int(pgbouncer()["max_client_conn"]) >= 2 * pool
    assert int(pgbouncer()["query_wait_timeout"]) == database("DATABASE_URL")["OPTIONS"]["pool"]["timeout"]


def test_the_scanner_takes_whatever_is_uploaded_and_listens_where_it_is_asked() -> None:
    options = dict(re.findall(r"^(\w+) (\S+)$", (CHECKOUT / "deploy/clamav/clamd.conf").read_text(), re.MULTILINE))
    largest = int(environment_of("app")["FILES_MAX_SIZE"])

    assert environment_of("worker")["CLAMD_URL"] == f"tcp://scanner:{options['TCPSocket']}"
    for name in ("StreamMaxLength", "MaxFileSize", "MaxScanSize"):
        assert int(options[name].removesuffix("M")) * 1024 * 1024 >= max(largest, MOST_UNPACKED)
    assert options["AlertExceedsMax"] == "yes"
    assert int(options["MaxScanTime"]) / 1000 < SCAN_SECONDS


def test_a_pool_tries_a_server_that_was_away_again_within_seconds_however_long_it_was() -> None:
    # A pool doubles its pauses for as long as it does not give an attempt up.
    assert database("DATABASE_URL")["OPTIONS"]["pool"]["reconnect_timeout"] <= 2


def test_there_is_one_scheduler_and_it_can_be_asked_whether_it_works() -> None:
    beat = SERVICES["beat"]

    assert beat["deploy"]["replicas"] == 1
    assert "--enable-remote-control" in beat["command"]
    assert "--destination=celerybeat@$$HOSTNAME" in beat["healthcheck"]["test"][1]
    assert [name for name, service in SERVICES.items() if "beat" in service.get("command", [])] == ["beat"]


@pytest.mark.checklist(76)
def test_only_migrations_connect_as_the_role_that_may_change_the_schema() -> None:
    for service in ("app", "worker", "relay"):
        assert {urlsplit(environment_of(service)[name]).username for name in DATABASE_URLS} == {"campushub360"}

    migrate = environment_of("migrate")
    assert urlsplit(migrate["DATABASE_URL"]).username == "campushub360_migrator"
    assert urlsplit(migrate["DATABASE_URL"]).hostname == "postgres"
    assert migrate["DATABASE_DIRECT_URL"] == ""
    assert "MIGRATOR_PASSWORD" not in str(SERVICES["app"])


def test_nginx_lets_as_many_of_one_address_come_at_once_as_the_application() -> None:
    limit = Limit.parse("address", RATE_LIMITS_DEFAULT["address"])
    text = (CHECKOUT / "nginx.conf").read_text()

    assert limit is not None
    assert set(re.findall(r"rate=(\d+)r/s", text)) == {str(limit.quota // limit.seconds)}
    assert set(re.findall(r"limit_req zone=\w+ burst=(\d+) nodelay;", text)) == {str(limit.burst)}
    assert set(re.findall(r"limit_conn \w+ (\d+);", text)) == {str(limit.burst)}


@pytest.mark.checklist(79)
def test_gunicorn_has_no_control_socket_trusts_no_one_by_itself_and_bounds_lines_and_headers() -> None:
    from campushub360 import gunicorn

    assert gunicorn.control_socket_disable is True
    assert "*" not in gunicorn.forwarded_allow_ips
    assert gunicorn.forwarder_headers == ""
    assert gunicorn.secure_scheme_headers == {"X-FORWARDED-PROTO": "https"}
    assert 0 < gunicorn.limit_request_line <= 8190
    assert 0 < gunicorn.limit_request_fields <= 100
    assert 0 < gunicorn.limit_request_field_size <= 8190


@pytest.mark.checklist(77)
@pytest.mark.parametrize("service", ["cache", "state"])
def test_redis_asks_for_a_password_and_cannot_be_reached_from_outside(service: str) -> None:
    assert "--requirepass" in " ".join(SERVICES[service]["command"])
    assert list(SERVICES[service]["networks"]) == ["inside"]


def test_pgbouncer_lends_connections_for_a_transaction_and_checks_passwords() -> None:
    assert pgbouncer()["pool_mode"] == "transaction"
    assert pgbouncer()["auth_type"] == "scram-sha-256"
    assert environment_of("app")["DATABASE_IS_POOLED"] == "true"
    assert "@pgbouncer:" in environment_of("app")["DATABASE_URL"]
    assert "@postgres:" in environment_of("app")["DATABASE_DIRECT_URL"]


def test_the_edge_asks_the_cache_where_the_cache_is() -> None:
    told = urlsplit(environment_of("edge")["EDGE_REDIS_URL"])

    assert told.hostname == SERVICES["cache"]["networks"]["inside"]["ipv4_address"]
    assert told.password == urlsplit(environment_of("app")["REDIS_URL"]).password


@pytest.mark.parametrize("service", ["replica1", "replica2", "analytics"])
def test_each_replica_has_data_of_its_own_and_the_files_of_the_primary(service: str) -> None:
    mounts = [mount.split(":") for mount in SERVICES[service]["volumes"]]
    files = {mount[0] for mount in mounts if mount[0].startswith(".")}
    primary = {mount.split(":")[0] for mount in SERVICES["postgres"]["volumes"]}

    assert [mount[0] for mount in mounts if not mount[0].startswith(".")] == [service]
    assert files - primary == {"./deploy/postgres/replica.sh"}
    assert environment_of(service)["REPLICATION_PASSWORD"] == environment_of("postgres")["REPLICATION_PASSWORD"]


def test_replicas_are_read_from_directly_and_not_by_who_migrates() -> None:
    urls = environment_of("app")["DATABASE_REPLICA_URLS"].split(",")

    assert [urlsplit(url).hostname for url in urls] == ["replica1", "replica2"]
    assert urlsplit(environment_of("app")["DATABASE_ANALYTICS_URL"]).hostname == "analytics"
    assert (
        environment_of("migrate")["DATABASE_REPLICA_URLS"] == environment_of("migrate")["DATABASE_ANALYTICS_URL"] == ""
    )


def test_the_cache_may_forget_and_the_state_may_not() -> None:
    cache, state = settings_in("deploy/redis/cache.conf"), settings_in("deploy/redis/state.conf")

    assert (cache["maxmemory-policy"], cache["appendonly"]) == ("volatile-lfu", "no")
    assert (state["maxmemory-policy"], state["appendonly"], state["appendfsync"]) == ("noeviction", "yes", "everysec")


@pytest.mark.checklist(50)
def test_gunicorn_believes_nginx_alone() -> None:
    assert environment_of("app")["FORWARDED_ALLOW_IPS"] == SERVICES["edge"]["networks"]["inside"]["ipv4_address"]


@pytest.mark.checklist(67)
def test_tls_is_not_older_than_1_2() -> None:
    assert re.findall(r"ssl_protocols (.*);", (CHECKOUT / "nginx.conf").read_text()) == ["TLSv1.2 TLSv1.3"]


@pytest.mark.checklist(69)
def test_no_answer_is_kept_on_its_way() -> None:
    from django.conf import settings

    assert "proxy_cache" not in (CHECKOUT / "nginx.conf").read_text()
    assert not [name for name in settings.MIDDLEWARE if "cache" in name.casefold()]


@pytest.mark.checklist(45)
def test_nginx_and_the_application_take_large_bodies_on_the_same_routes() -> None:
    from django.conf import settings

    nginx = (CHECKOUT / "nginx.conf").read_text()
    routes = dict(re.findall(r"location (/\S+) \{\s+client_max_body_size (\d+)m;", nginx))

    assert {path: int(size) << 20 for path, size in routes.items()} == {
        "/api/v1/imports/": 100 << 20,
        "/api/v1/files/": 51 << 20,
        "/api/v1/files/uploads/": 51 << 20,
        "/admin/files/fileasset/add/": 51 << 20,
    }
    assert set(routes) == set(settings.BODY_MAX_SIZES)
    assert re.findall(r"^    client_max_body_size (.*);", nginx, re.MULTILINE) == ["1m"]
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE == 1 << 20


def test_the_image_runs_as_an_ordinary_user_from_locked_requirements() -> None:
    instructions = (CHECKOUT / "Dockerfile").read_text()
    final = instructions[instructions.rindex("\nFROM") :]

    assert re.findall(r"^USER (.*)$", final, re.MULTILINE) == ["campus"]
    assert "--require-hashes" in instructions
    assert "/livez" in final
    assert not re.findall(r"^(?:ENV|ARG) .*(?:KEY|PASSWORD|SECRET)", instructions, re.MULTILINE)


def test_the_image_holds_every_app_and_nothing_of_the_checkouts_own() -> None:
    from django.conf import settings

    lines = (CHECKOUT / ".dockerignore").read_text().splitlines()

    assert lines[0] == "*"
    assert [app for app in settings.FIRST_PARTY_APPS if f"!{app}/" not in lines] == []
    assert all(Path(CHECKOUT / line[1:]).exists() for line in lines if line.startswith("!"))


def test_every_process_of_the_image_is_given_as_an_argument_list() -> None:
    for name in ("worker", "beat", "relay", "migrate"):
        assert isinstance(SERVICES[name]["command"], list)


def test_the_list_of_stolen_passwords_is_read_where_it_is_mounted() -> None:
    name = "BREACH_LIST_FILE"
    environment = {key: str(value) for key, value in SERVICES["app"]["environment"].items()}
    [mount] = [each for each in SERVICES["app"]["volumes"] if name in each]

    assert compose.filled(environment[name], {}) == ""
    inside = compose.filled(environment[name], {name: "/srv/stolen.txt"})
    assert compose.filled(mount, {name: "/srv/stolen.txt"}) == f"/srv/stolen.txt:{inside}:ro"
