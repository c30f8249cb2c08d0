"""Asking for everything about a person, putting it together, and handing it out.

A worker makes the file as whoever asked for it, with the roles they hold by then. It may be killed at any moment and
come again, or twice at once: each run writes a file of its own, and the last to begin is the one whose file counts.
"""

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction

from accounts.assignments import scopes_of
from accounts.models import Person, User
from accounts.services import Reauthenticated, ReauthenticationRequiredError
from audit.services import record
from core import crud
from core.errors import DomainError, InvalidError, OutOfScopeError
from core.events import publish
from core.prepared import name_of
from core.privacy import Subject
from core.provenance import acting_as
from core.recording import recorder
from core.visibility import Actor
from privacy.events import ExportRequested
from privacy.models import SubjectExport
from privacy.services.archive import one_moment, write_archive
from privacy.services.reasons import stated
from privacy.services.storage import SHELF
from privacy.services.subjects import subject_of

logger = logging.getLogger(__name__)

FOR_OTHERS = "privacy.add_subjectexport"


class NoPersonError(InvalidError):
    """The account is nobody's in particular, so there is nobody to tell about."""

    code = "no_person"
    title = "Your account belongs to no person; name one."
    field = "person"


def is_about_oneself(by: Any, person: Person | None) -> bool:
    """Say whether somebody asks for what the records say about themselves."""
    return by.person_id is not None and (person is None or person.pk == by.person_id)


@transaction.atomic
def request_export(
    *, by: Any, person: Person | None = None, reason: str = "", proof: Reauthenticated | None = None
) -> SubjectExport:
    """Ask for everything about a person, oneself by default; a worker puts it together.

    One's own data takes a `proof`, since a session that somebody left open would give it all away. Raises
    `ReauthenticationRequiredError`, `NoPersonError`, `OutOfScopeError` and `ReasonMissingError`, and
    `export_in_progress` while it is at it.
    """
    person_id = person.pk if person is not None else by.person_id
    if person_id is None:
        raise NoPersonError
    require_entitled(by, person_id)
    if not is_about_oneself(by, person):
        stated(reason)
    elif proof is None or proof.user_id != by.pk:
        raise ReauthenticationRequiredError("Ask for your own data where the password is asked for, over the API.")
    export = crud.create(SubjectExport, {"person_id": person_id, "requested_by": by, "reason": reason.strip()})
    record(action="privacy.export_requested", actor=by, subject=export, reason=reason, detail={"person": person_id})
    publish(ExportRequested(export_id=export.pk))
    return export


def require_entitled(by: Any, person_id: UUID) -> None:
    """Refuse whoever asks for the data of somebody else without being in charge of everybody's."""
    if person_id != by.person_id and not scopes_of(by, FOR_OTHERS).everywhere:
        raise OutOfScopeError("The data of others is for those who answer for it.", field="person")


def make_export(export_id: UUID, *, at: datetime) -> SubjectExport | None:
    """Put together what was asked for; None when there is nothing to do any more. What stands in the way is noted."""
    run_id = uuid4()
    export = SHELF.begin(export_id, run_id)
    if export is None:
        return None
    with acting_as(export.requested_by_id):
        try:
            by = User.objects.with_assignments().filter(pk=export.requested_by_id, is_active=True).first()
            if by is None:
                raise OutOfScopeError("Whoever asked for this no longer has an account.")
            require_entitled(by, export.person_id)
            return _finish(export_id, run_id, _write(export, run_id, by, at), at)
        except DomainError as refused:
            logger.info("export.refused", extra={"export_id": str(export_id), "code": refused.error_code})
            return SHELF.fail(export_id, run_id, refused.error_code)


def _write(export: SubjectExport, run_id: UUID, by: User, at: datetime) -> dict[str, Any]:
    """Write the file and return what is to be known about it."""
    with one_moment():
        subject = subject_of(export.person_id)
        with SHELF.writing(export, run_id) as sealed:
            counts = write_archive(sealed, subject, to_themselves=by.person_id in subject.people, at=at)
    rows = sum(counts.values())
    return {"stored_name": name_of(export, run_id), "sha256": sealed.sha256, "size": sealed.size, "rows": rows}


@transaction.atomic
def _finish(export_id: UUID, run_id: UUID, facts: dict[str, Any], at: datetime) -> SubjectExport | None:
    done = SHELF.finish(export_id, run_id, facts, at=at, kept=settings.SUBJECT_EXPORTS_KEPT)
    if done is not None:
        record(action="privacy.export_made", subject=done, detail={"rows": facts["rows"], "size": facts["size"]})
    return done


@transaction.atomic
def open_export(export: SubjectExport, *, by: Actor, at: datetime) -> Iterator[bytes]:
    """Hand out the file to whoever asked for it, put that on record, and return its content in pieces.

    Refused as `require_fetchable` does, and with `ExportUnavailableError` when it cannot be opened any more.
    """
    require_fetchable(export, by=by, at=at)
    content = SHELF.hand_out(export, at=at)
    record(action="privacy.export_handed_out", actor=by, subject=export, detail={"person": export.person_id})
    return content


def require_fetchable(export: SubjectExport, *, by: Actor, at: datetime) -> None:
    """Refuse whoever may not fetch a file, or not now.

    Raises `ExportUnavailableError` while there is none, or no more, and `OutOfScopeError` when it is about somebody
    else whom they no longer answer for.
    """
    if export.requested_by_id != by.pk:
        raise OutOfScopeError
    require_entitled(by, export.person_id)
    SHELF.require_ready(export, at=at)


@transaction.atomic
def discard_export(export: SubjectExport, *, by: Actor | None) -> None:
    """Delete the file of an export before its time; that it was asked for stays on record."""
    SHELF.expire(export)


def purge_exports(*, at: datetime) -> int:
    """Delete the files of exports that have had their time, and what killed workers left; return how many."""
    return SHELF.purge(at=at)


def write_for_operator(target: Any, person_id: UUID, *, to_themselves: bool, reason: str, at: datetime) -> Subject:
    """Write everything about a person to a stream for whoever runs the system, and put that on record."""
    with one_moment():
        subject = subject_of(person_id)
        counts = write_archive(target, subject, to_themselves=to_themselves, at=at)
        detail = {"rows": sum(counts.values()), "to_themselves": to_themselves}
        record(action="privacy.export_handed_out", subject=Person(pk=person_id), reason=reason, detail=detail)
        if not to_themselves:
            recorder().disclosed(
                what="subject export", subjects=[person_id], to=None, permission="operator", route="export_subject"
            )
    return subject
