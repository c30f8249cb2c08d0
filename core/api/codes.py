"""Every error code that the API can answer with, collected from where each is declared.

Domain errors and REST framework's exceptions declare theirs on the class, constraints on the
model, fields in their messages. Nothing keeps a second list, so none can fall behind.
"""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib import import_module
from itertools import groupby
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

from django import forms
from django.apps import apps
from django.conf import settings
from django.core import validators
from django.db import models
from rest_framework import exceptions, serializers
from rest_framework import validators as rest_validators

from core.api.exceptions import STATUS_OF
from core.api.responses import REASONS
from core.db.constraints import declared_refusals
from core.errors import DomainError, ViolationsError

# Modules whose classes are loaded in every process; what else happens to be imported changes nothing.
_FIELD_MODULES = frozenset(
    {
        "rest_framework.fields",
        "rest_framework.relations",
        "rest_framework.serializers",
        "django.db.models.fields",
        "django.db.models.fields.json",
        "django.forms.fields",
        "django.forms.models",
    }
)
# What runs once or by hand, and answers no request.
_APART = frozenset({"management", "migrations"})
UNSPECIFIC = "The value is not valid."
_STATUS_BY_NAME: Mapping[str, int] = {
    "ValidationError": 400,
    "ErrorDetail": 400,
    "AuthenticationFailed": 401,
    **{kind.__name__: int(status) for kind, status in STATUS_OF.items()},
}
_NEVER_RAISED = (exceptions.APIException, exceptions.NotAcceptable, ViolationsError)
# Links are ids here, and these belong to widgets that only the admin has.
_NEVER_GIVEN = frozenset(
    {"contradiction", "incomplete", "incorrect_match", "limit_value", "no_match", "unique", "unique_for_date"}
)
# Codes that several fields give in their own words, or with the numbers of one field.
_SHARED = {
    "blank": "This field may not be blank.",
    "date": "A date was sent where a date and time belongs.",
    "datetime": "A date and time was sent where a date belongs.",
    "does_not_exist": "There is no such row.",
    "empty": "This may not be empty.",
    "incorrect_type": "The value has the wrong type.",
    "invalid_choice": "The value is not one of the choices.",
    "invalid_date": "The value is not a date.",
    "invalid_datetime": "The value is not a date and time.",
    "invalid_extension": "Files with this extension are not accepted.",
    "invalid_image": "The file is not a readable image.",
    "invalid_list": "The value is not a list.",
    "invalid_nullable": "The value is neither true, false nor null.",
    "invalid_pk_value": "The value is not an id.",
    "invalid_time": "The value is not a time.",
    "make_aware": "The time does not exist in its time zone.",
    "max_decimal_places": "The number has too many decimal places.",
    "max_digits": "The number has too many digits.",
    "max_length": "The value is too long.",
    "max_string_length": "The text is too long to be read as a number.",
    "max_value": "The value is too large.",
    "max_whole_digits": "The number has too many digits before the decimal point.",
    "min_length": "The value is too short.",
    "min_value": "The value is too small.",
    "missing": "No file was sent.",
    "no_name": "The file has no name.",
    "not_a_dict": "The value is not an object.",
    "not_a_list": "The value is not a list.",
    "null": "This field may not be null.",
    "null_characters_not_allowed": "The text contains a NUL character.",
    "overflow": "The date or time is out of range.",
    "required": "This field is required.",
    "step_size": "The value is not a multiple of the step.",
    "surrogate_characters_not_allowed": "The text contains an unpaired surrogate.",
}


@dataclass(frozen=True, order=True)
class ErrorCode:
    """A code, the status it comes with and what it means."""

    status: int
    code: str
    title: str


def known_codes() -> list[ErrorCode]:
    """Return every code once for each status it comes with, by status and name."""
    _load_everything()
    meanings: dict[tuple[int, str], list[str]] = {}
    for source in (_domain_errors(), _constraints(), _exceptions(), _given_when_raised(), _fields()):
        for (status, code), found in groupby(sorted(source), key=lambda found: (found.status, found.code)):
            meanings.setdefault((status, code), list(dict.fromkeys(each.title for each in found)))
    # A code that several rules share means what each of them says.
    return [
        ErrorCode(status, code, _SHARED.get(code) or " ".join(titles))
        for (status, code), titles in sorted(meanings.items())
    ]


def _descendants(base: type[Any]) -> Iterator[type[Any]]:
    for child in base.__subclasses__():
        yield child
        yield from _descendants(child)


def _apps() -> list[str]:
    """Return the product's apps; the composition root above them raises nothing of its own."""
    root = str(settings.WSGI_APPLICATION).partition(".")[0]
    return [app for app in settings.FIRST_PARTY_APPS if app != root]


def _load_everything() -> None:
    """Import every module of every app, so that the answer does not depend on what ran before."""
    for app in _apps():
        package = import_module(app)
        for module in walk_packages(package.__path__, f"{app}."):
            if not _APART & set(module.name.split(".")):
                import_module(module.name)


def _ours(kind: type[Any]) -> bool:
    """Say whether a class belongs to the product: libraries and tests define errors too."""
    return _is_ours(kind.__module__)


def _is_ours(module: str) -> bool:
    parts = module.split(".")
    return parts[0] in _apps() and not _APART & set(parts)


def _status_of(kind: type[DomainError]) -> int:
    return next((status for base, status in STATUS_OF.items() if issubclass(kind, base)), HTTPStatus.BAD_REQUEST)


def _domain_errors() -> Iterator[ErrorCode]:
    for kind in _descendants(DomainError):
        if _ours(kind) and kind not in _NEVER_RAISED and "code" in vars(kind):
            yield ErrorCode(_status_of(kind), kind.code, kind.title)


def _constraints() -> Iterator[ErrorCode]:
    owners = tuple(f"{app}_" for app in _apps())
    for name, refusal in declared_refusals().items():
        if not name.startswith(owners):
            continue
        generic = refusal.error_code == type(refusal).code
        yield ErrorCode(_status_of(type(refusal)), refusal.error_code, refusal.title if generic else refusal.detail)


def _exceptions() -> Iterator[ErrorCode]:
    for kind in _descendants(exceptions.APIException):
        if kind in _NEVER_RAISED or not (_ours(kind) or kind.__module__ == exceptions.__name__):
            continue
        title = str(kind.default_detail)
        if "{" in title:
            title = f"{REASONS[kind.status_code]}."
        yield ErrorCode(int(kind.status_code), kind.default_code, title)


def _given_when_raised() -> Iterator[ErrorCode]:
    """Find the codes that are written where an error is raised, as `InvalidError("…", code="…")`."""
    for name, module in sorted(sys.modules.items()):
        if not _is_ours(name) or not getattr(module, "__file__", None):
            continue
        for call in ast.walk(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and (status := _STATUS_BY_NAME.get(_name_of(call.func))):
                for keyword in call.keywords:
                    if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                        code = str(keyword.value.value)
                        yield ErrorCode(status, code, _SHARED.get(code) or _sentence(call))


def _name_of(function: ast.expr) -> str:
    return str(getattr(function, "attr", "") or getattr(function, "id", ""))


def _sentence(call: ast.Call) -> str:
    first = call.args[0] if call.args else None
    return str(first.value) if isinstance(first, ast.Constant) and first.value else UNSPECIFIC


def _fields() -> Iterator[ErrorCode]:
    for code, message in (*_field_messages(), *_validator_messages()):
        if code in _NEVER_GIVEN:
            continue
        title = _SHARED.get(code) or (message if "{" not in message and "%" not in message else "")
        yield ErrorCode(HTTPStatus.BAD_REQUEST, code, title or UNSPECIFIC)


def _field_messages() -> Iterable[tuple[str, str]]:
    for base in (serializers.Field, models.Field, forms.Field):
        for kind in (base, *_descendants(base)):
            if kind.__module__ in _FIELD_MODULES or _ours(kind):
                for code, message in vars(kind).get("default_error_messages", {}).items():
                    yield code, str(message)


def _validator_messages() -> Iterable[tuple[str, str]]:
    for kind in vars(validators).values():
        if isinstance(kind, type) and isinstance(code := getattr(kind, "code", None), str):
            yield code, str(getattr(kind, "message", ""))
    for app in _apps():
        for model in apps.get_app_config(app).get_models():
            for validator in (each for field in model._meta.concrete_fields for each in field.validators):
                if isinstance(code := getattr(validator, "code", None), str):
                    yield code, str(getattr(validator, "message", ""))
    surrogates = rest_validators.ProhibitSurrogateCharactersValidator
    yield surrogates.code, str(surrogates.message)
