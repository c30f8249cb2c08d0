"""What changes who may be told about a student: links to guardians, their verification, and the student's consent."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypedDict, Unpack

from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.models import Person
from core import crud
from core.duties import may_not_be_same
from core.errors import ConflictError, ForbiddenError, InvalidError
from core.visibility import Actor
from students.models import GuardianLink, Student


class GuardianLinkValues(TypedDict, total=False):
    relation: str
    scopes: list[str]
    starts_on: date
    ends_on: date | None


class NewGuardianLinkValues(GuardianLinkValues, total=False):
    student: Student
    person: Person


class OwnGuardianError(InvalidError):
    """Somebody would be told about themselves as if they were another."""

    code = "own_guardian"
    title = "Nobody is their own guardian."
    field = "person"


class LinkEndsBeforeStartError(InvalidError):
    """The link would end before it begins."""

    code = "ends_before_start"
    title = "A link to a guardian ends after it begins."
    field = "ends_on"


class OwnLinkError(ForbiddenError):
    """The guardian would vouch for themselves, agree for the student, or open more to themselves."""

    code = "self_approval"
    title = "Nobody decides what they are told as a guardian themselves."


class LinkEndedError(ConflictError):
    """The link is over: what comes now needs another one."""

    code = "guardian_link_ended"
    title = "This link has ended."


class RelationVerifiedError(ConflictError):
    """Proof of another relation was seen than the link would name."""

    code = "guardian_relation_verified"
    title = "The relation has been verified; another one needs a link of its own."
    field = "relation"


def link_guardian(*, by: Actor | None, **values: Unpack[NewGuardianLinkValues]) -> GuardianLink:
    """Record that somebody is a guardian of a student; it opens nothing until it is verified.

    Refused with `own_guardian`, `ends_before_start`, or `already_a_guardian`.
    """
    if "student" in values and "person" in values and values["student"].person_id == values["person"].pk:
        raise OwnGuardianError
    return crud.create(GuardianLink, _with_span(values, None), by=by)


def update_guardian_link(
    link: GuardianLink, *, by: Actor | None, **changes: Unpack[GuardianLinkValues]
) -> GuardianLink:
    """Change a link; the student's consent is to what it was, and lapses when more is opened or for longer.

    Refused to the guardian with `self_approval`, and with `guardian_relation_verified` once proof of another relation
    was seen.
    """
    _require_open(link)
    _require_somebody_else(link, by)
    if link.verified_at is not None and changes.get("relation", link.relation) != link.relation:
        raise RelationVerifiedError
    fields = _with_span(changes, link.valid)
    wider = not set(fields.get("scopes", ())) <= set(link.scopes)
    valid = fields.get("valid", link.valid)
    longer = link.valid.upper is not None and (valid.upper is None or valid.upper > link.valid.upper)
    if wider or longer:
        fields |= {"consented_at": None, "consent_recorded_by": None}
    return crud.update(link, fields, by=by)


def verify_guardian(link: GuardianLink, *, by: Actor, at: datetime) -> GuardianLink:
    """Put on record that proof of the relation was seen; refused to the guardian with `self_approval`."""
    _require_open(link)
    _require_somebody_else(link, by)
    if link.verified_at is not None:
        return link
    return crud.update(link, {"verified_at": at, "verified_by": by}, by=by)


def record_consent(link: GuardianLink, *, by: Actor, at: datetime) -> GuardianLink:
    """Put on record that the student agrees: the student says so, or the registrar has it in writing.

    Refused to the guardian with `self_approval`.
    """
    _require_open(link)
    _require_somebody_else(link, by)
    if link.consented_at is not None:
        return link
    return crud.update(link, {"consented_at": at, "consent_recorded_by": by}, by=by)


def withdraw_consent(link: GuardianLink, *, by: Actor, at: datetime) -> GuardianLink:
    """Close the record to the guardian of a student of age, from now on; the history keeps that there was consent."""
    return crud.update(link, {"consented_at": None, "consent_recorded_by": None}, by=by)


def revoke_guardian(link: GuardianLink, *, by: Actor, at: datetime) -> GuardianLink:
    """End a link before today; one that began no earlier is neither verified nor consented to any more."""
    today = timezone.localdate(at)
    if link.valid.upper is not None and link.valid.upper <= today:
        return link
    if link.valid.lower < today:
        return crud.update(link, {"valid": DateRange(link.valid.lower, today, "[)")}, by=by)
    undone = dict.fromkeys(("verified_at", "verified_by", "consented_at", "consent_recorded_by"))
    return crud.update(link, undone, by=by)


def _require_open(link: GuardianLink) -> None:
    if link.valid.upper is not None and link.valid.upper <= timezone.localdate():
        raise LinkEndedError


def _require_somebody_else(link: GuardianLink, by: Actor | None) -> None:
    may_not_be_same(by, OwnLinkError, people=[link.person_id])


def _with_span(values: Mapping[str, Any], present: DateRange | None) -> dict[str, Any]:
    """Replace the two days of a link by the range that the database compares."""
    fields = dict(values)
    start = fields.pop("starts_on", None) or (present.lower if present else timezone.localdate())
    end = fields.pop("ends_on", present.upper if present else None)
    if end is not None and end <= start:
        raise LinkEndsBeforeStartError
    return {**fields, "valid": DateRange(start, end, "[)")}
