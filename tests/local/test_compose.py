"""docker-compose.yml against the grammar of the Compose Specification: as much of it as the file uses, no more.

A key that is misspelt, or that stands where Compose does not look for it, is refused here and not at the first start.
"""

import re
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from campushub360.local import CHECKOUT

Schema = dict[str, Any]

COMPOSE: Schema = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
TEXT: Schema = {"type": "string"}
TEXTS: Schema = {"type": "array", "items": TEXT, "minItems": 1}
DURATION: Schema = {"type": "string", "pattern": r"^(\d+(us|ms|s|m|h))+$"}
BYTES: Schema = {"type": "string", "pattern": r"^\d+(b|k|m|g|K|M|G)b?$"}
ADDRESS: Schema = {"type": "string", "format": "ipv4", "pattern": r"^\d+\.\d+\.\d+\.\d+$"}
NUMBER_OR_VARIABLE: Schema = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": r"^\$\{[A-Z_]+:-\d+\}$"}]}


def record(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    """Return the schema of a mapping that may have these keys alone."""
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def mapping(values: Schema, names: str = r"^[a-zA-Z0-9._-]+$") -> Schema:
    """Return the schema of a mapping whose keys are names of our own."""
    return {"type": "object", "patternProperties": {names: values}, "additionalProperties": False}


HEALTH = {
    "anyOf": [
        record(("disable",), disable={"const": True}),
        record(
            ("test",),
            test={
                "type": "array",
                "prefixItems": [{"enum": ["CMD", "CMD-SHELL"]}],
                "items": TEXT,
                "minItems": 2,
            },
            interval=DURATION,
            timeout=DURATION,
            start_period=DURATION,
            retries={"type": "integer", "minimum": 1},
        ),
    ]
}
DEPLOY = record(
    replicas=NUMBER_OR_VARIABLE,
    resources=record(("limits",), limits=record(cpus={"type": "string", "pattern": r"^\d+(\.\d+)?$"}, memory=BYTES)),
)
CONDITIONS = {"enum": ["service_started", "service_healthy", "service_completed_successfully"]}
SERVICE = record(
    ("image",),
    image=TEXT,
    build=TEXT,
    user=TEXT,
    entrypoint=TEXTS,
    command=TEXTS,
    environment=mapping({"type": "string"}, r"^[A-Z_]+$"),
    volumes={"type": "array", "items": {"type": "string", "pattern": r"^[^:]+(:[^:]+)?(:\?[^}]*\})?:/[^:]+(:ro)?$"}},
    ports={"type": "array", "items": {"type": "string", "pattern": r"^\d+:\d+$"}},
    configs={"type": "array", "items": record(("source", "target"), source=TEXT, target=TEXT)},
    networks={"anyOf": [TEXTS, mapping(record(ipv4_address=ADDRESS))]},
    depends_on=mapping(record(("condition",), condition=CONDITIONS)),
    healthcheck=HEALTH,
    deploy=DEPLOY,
    logging=record(("driver", "options"), driver=TEXT, options=mapping({"type": "string"})),
    restart={"enum": ["no", "always", "on-failure", "unless-stopped"]},
    init={"type": "boolean"},
    read_only={"type": "boolean"},
    tmpfs=TEXTS,
    cap_drop=TEXTS,
    security_opt=TEXTS,
    shm_size=BYTES,
    stop_grace_period=DURATION,
)
RANGE = record(subnet=TEXT, ip_range=TEXT)
NETWORK = {
    "anyOf": [
        {"type": "null"},
        record(internal={"type": "boolean"}, ipam=record(config={"type": "array", "items": RANGE})),
    ]
}
FILE = {
    **record(
        ("name", "services"),
        name={"type": "string", "pattern": r"^[a-z0-9][a-z0-9_-]*$"},
        services=mapping(SERVICE),
        configs=mapping(record(("content",), content=TEXT)),
        volumes=mapping({"type": "null"}),
        networks=mapping(NETWORK),
    ),
    "patternProperties": {"^x-": True},
}


def faults(document: Schema) -> list[str]:
    found = Draft202012Validator(FILE).iter_errors(document)
    return sorted(f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in found)


def test_compose_understands_every_line() -> None:
    assert faults(COMPOSE) == []


@pytest.mark.parametrize(
    ("service", "key", "value"),
    [
        ("app", "enviroment", {}),
        ("app", "deploy", {"limits": {"cpus": "1"}}),
        ("cache", "healthcheck", {"test": "valkey-cli ping"}),
        ("edge", "depends_on", {"app": {"condition": "healthy"}}),
        ("postgres", "stop_grace_period", "60"),
    ],
)
def test_what_compose_would_not_understand_is_found(service: str, key: str, value: Any) -> None:
    services = {**COMPOSE["services"], service: {**COMPOSE["services"][service], key: value}}

    [fault] = faults({**COMPOSE, "services": services})

    assert fault.startswith(f"services.{service}")


def test_everything_that_a_service_names_is_there() -> None:
    for service in COMPOSE["services"].values():
        assert set(service.get("depends_on", {})) <= set(COMPOSE["services"])
        assert set(service.get("networks", [])) <= set(COMPOSE["networks"])
        assert {config["source"] for config in service.get("configs", [])} <= set(COMPOSE["configs"])


def test_no_container_is_given_an_address_that_a_service_names() -> None:
    [inside] = COMPOSE["networks"]["inside"]["ipam"]["config"]
    given_out, subnet = ip_network(inside["ip_range"]), ip_network(inside["subnet"])
    networks = [each for service in COMPOSE["services"].values() if isinstance(each := service.get("networks"), dict)]
    named = [ip_address(each["inside"]["ipv4_address"]) for each in networks]

    assert given_out.subnet_of(subnet)
    assert len(named) == 2
    assert all(address in subnet and address not in given_out for address in named)


def test_what_talks_to_the_world_has_a_way_there_on_which_nobody_takes_it_for_the_edge() -> None:
    ways = {name: set(service.get("networks", ["inside"])) for name, service in COMPOSE["services"].items()}

    for service in ("app", "worker"):
        [way] = ways[service] - {"inside"}
        assert not (COMPOSE["networks"][way] or {}).get("internal")
        assert way not in ways["edge"]


def test_the_edges_workers_and_what_they_keep_fit_into_its_container() -> None:
    """A container with fewer processors than its machine would have as many workers as that, each with its answers."""
    edge = COMPOSE["services"]["edge"]
    configured = (CHECKOUT / "nginx.conf").read_text()
    shared = (CHECKOUT / "deploy" / "edge" / "edge.http.conf").read_text()
    memory = (CHECKOUT / "deploy" / "edge" / "edge_memory.lua").read_text()
    [workers] = re.findall(r"worker_processes (\d+);", " ".join(edge["command"]))
    [each] = re.findall(r"local MOST, .* = (\d+) \* 1024 \* 1024,", memory)
    taken = [int(size) for size in re.findall(r"(?:lua_shared_dict \w+ |keys_zone=\w+:|max_size=)(\d+)m", shared)]

    assert "worker_processes" not in configured
    assert edge["deploy"]["resources"]["limits"]["memory"] == "1G"
    # Half as much again for what nginx and Lua take beside the answers themselves.
    assert 1.5 * int(workers) * int(each) + sum(taken) <= 900
