"""Where people may log in instead of here: `OIDC_PROVIDERS`, a list in JSON, and `OIDC_SECRETS`, by their names."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
TEXTS = ("name", "title", "issuer", "client_id")
SWITCHES = ("links_by_email", "trusts_mfa")
LISTS = ("redirect_uris", "scopes")
DEFAULTS: dict[str, Any] = {"title": "", "scopes": ["openid", "email"], "links_by_email": False, "trusts_mfa": False}


def read_providers(env: Mapping[str, str], *, schemes: tuple[str, ...] = ("https",)) -> list[dict[str, Any]]:
    """Return the providers that the environment describes; raise ValueError, which says what is wrong."""
    listed, secrets = _read(env, "OIDC_PROVIDERS", "[]"), _read(env, "OIDC_SECRETS", "{}")
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise ValueError("OIDC_PROVIDERS is no list of providers in JSON")
    if not isinstance(secrets, dict):
        raise ValueError("OIDC_SECRETS is no object in JSON")  # noqa: TRY004 - said of the variable, as all of it
    try:
        found = [_provider(each, secrets, schemes) for each in listed]
    except ValueError as error:
        raise ValueError(f"OIDC_PROVIDERS {error}") from error
    names = [each["name"] for each in found]
    if len(set(names)) < len(names):
        raise ValueError("OIDC_PROVIDERS names a provider twice")
    return found


def _read(env: Mapping[str, str], variable: str, default: str) -> Any:
    try:
        return json.loads(env.get(variable) or default)
    except ValueError as error:
        raise ValueError(f"{variable} is no JSON") from error


def _provider(given: dict[str, Any], secrets: Mapping[str, Any], schemes: tuple[str, ...]) -> dict[str, Any]:
    name = given.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError("needs a name of small letters, digits and hyphens for each provider")
    if unknown := sorted(given.keys() - {*TEXTS, *SWITCHES, *LISTS}):
        raise ValueError(f"says {', '.join(unknown)} of {name}, which means nothing")
    values = {**DEFAULTS, **given}
    values["title"] = values["title"] or name.replace("-", " ").capitalize()
    wrong = [key for key in TEXTS if not isinstance(values.get(key), str) or not values[key]]
    wrong += [key for key in SWITCHES if not isinstance(values[key], bool)]
    wrong += [key for key in LISTS if not _is_list_of_text(values.get(key))]
    if wrong:
        raise ValueError(f"does not say {', '.join(wrong)} of {name} as it should")
    for key, addresses in (("issuer", [values["issuer"]]), ("redirect_uris", values["redirect_uris"])):
        if not all(urlsplit(address).scheme in schemes and urlsplit(address).netloc for address in addresses):
            raise ValueError(f"has addresses in {key} of {name} that are not https")
    secret = secrets.get(name)
    if not isinstance(secret, str) or not secret:
        raise ValueError(f"names {name}, of which OIDC_SECRETS has no secret")
    return {**values, **{key: tuple(values[key]) for key in LISTS}, "client_secret": secret}


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) and each for each in value)
