"""What docker-compose.yml says of its services, with its variables filled in."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from campushub360.local import CHECKOUT

VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>[A-Z_]+)(?P<rest>[^}]*)\}")


@cache
def services() -> dict[str, dict[str, Any]]:
    """Return the services by name."""
    found: dict[str, dict[str, Any]] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())["services"]
    return found


def environment_of(service: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a service."""
    return {name: filled(str(value), variables) for name, value in services()[service]["environment"].items()}


def command_of(service: str, variables: Mapping[str, str]) -> list[str]:
    """Return the command line of a service."""
    return [filled(word, variables) for word in services()[service]["command"]]


def filled(text: str, variables: Mapping[str, str]) -> str:
    """Return `text` with its variables' values; one that has none and no default raises KeyError."""

    def value(match: re.Match[str]) -> str:
        default = re.match(r":-(.*)", match["rest"])
        if default:
            return variables.get(match["name"]) or default[1]
        instead = re.match(r":\+(.*)", match["rest"])
        if instead:
            return instead[1] if variables.get(match["name"]) else ""
        return variables[match["name"]]

    return VARIABLE.sub(value, text).replace("$$", "$")
