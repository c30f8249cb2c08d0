"""Registering readers, and the credentials by which they know students."""

import hmac
from typing import TypedDict, Unpack

from django.conf import settings

from accounts.models import User
from attendance.models import Credential, Reader
from core import crud
from core.errors import InvalidError
from core.visibility import Actor
from departments.models import Room
from students.models import Student


class ReaderValues(TypedDict, total=False):
    code: str
    name: str
    room: Room
    account: User
    is_active: bool


class NoProgramError(InvalidError):
    """Readers report by keys, which accounts of programs have."""

    code = "not_a_service_account"
    title = "Readers report by the keys of a program's account."
    field = "account"


def create_reader(*, by: Actor | None, **values: Unpack[ReaderValues]) -> Reader:
    """Register a reader; refused with `code_taken` or `not_a_service_account`."""
    _require_program(values)
    return crud.create(Reader, values)


def update_reader(row: Reader, *, by: Actor | None, **changes: Unpack[ReaderValues]) -> Reader:
    """Change a reader; refused with `code_taken` or `not_a_service_account`."""
    _require_program(changes)
    return crud.update(row, changes)


def delete_reader(row: Reader, *, by: Actor | None) -> None:
    """Forget a reader that has seen nobody; refused with `in_use` where it has."""
    crud.delete(row)


def create_credential(*, by: Actor | None, student: Student, credential: str, label: str = "") -> Credential:
    """Let readers know a student by a credential, of which a keyed hash is kept; refused with `credential_taken`."""
    return crud.create(Credential, {"student": student, "label": label, "credential_hash": credential_hash(credential)})


def delete_credential(row: Credential, *, by: Actor | None) -> None:
    """Let no reader know a student by this credential any more."""
    crud.delete(row)


def credential_hash(credential: str) -> bytes:
    """Return what a credential is known by; without `BLIND_INDEX_KEY` nobody tells from it which one it is."""
    return hmac.digest(settings.BLIND_INDEX_KEY, f"attendance.credential:{credential}".encode(), "sha256")


def _require_program(values: ReaderValues) -> None:
    if "account" in values and not values["account"].is_service:
        raise NoProgramError
