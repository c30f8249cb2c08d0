"""What readers have seen, in batches: found to be of a class, and marked by it. A constant number of statements.

A punch is of the class that a student has in the room of the reader at that time, from a quarter of an hour before it
begins; of two that touch, of the one whose beginning is nearer. What comes late counts by when it was seen: the
earliest arrival that a reader or a code knows of stays, an import gives way, and a teacher or an excuse does not. A
closed sheet takes punches, since they say what was before it was closed; a locked one does not, nor one of a closed
term, which is the same to a reader. What was of no class, or of a locked sheet, is weighed again when it is reported
again, and at night for a week: rooms and enrolments become known late as well.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from attendance.models import ClassSession, Credential, Marking, Punch, PunchOutcome, Reader, Source
from attendance.services import sheets
from attendance.services.arrivals import arrived, on_time
from attendance.services.closed_terms import is_over
from attendance.services.marking import EARLY, late_code
from attendance.services.readers import credential_hash
from core.db.locks import hold_named
from core.errors import DomainError, InvalidError
from core.visibility import Actor

# The clocks of readers are not exact.
AHEAD = timedelta(minutes=5)
# What may yet become another thing, and for how long that is looked for.
OPEN = (PunchOutcome.NO_SESSION, PunchOutcome.SESSION_LOCKED)
LOOKS_BACK = timedelta(days=7)
BATCH = 500
_MATCHES = """
    SELECT DISTINCT ON (p.place) p.place, s.id, e.id
    FROM unnest(%(places)s::int[], %(students)s::uuid[], %(rooms)s::uuid[], %(times)s::timestamptz[])
        AS p (place, student, room, at)
    JOIN enrollment_enrollment e ON e.student_id = p.student
    JOIN attendance_classsession s ON s.section_id = e.section_id AND s.room_id = p.room AND s.status = 'scheduled'
        AND p.at >= s.starts_at - %(early)s AND p.at < s.ends_at
    WHERE <expected>
    ORDER BY p.place, abs(extract(epoch FROM p.at - s.starts_at)), s.id
""".replace("<expected>", sheets.EXPECTED)  # nosec B608 - made of constants

_CHANGED = """
    SELECT DISTINCT p.id
    FROM attendance_punch p
    JOIN attendance_reader r ON r.id = p.reader_id
    JOIN enrollment_enrollment e ON e.student_id = p.student_id
    JOIN attendance_classsession s ON s.section_id = e.section_id AND s.room_id = r.room_id AND s.status = 'scheduled'
        AND p.at >= s.starts_at - %(early)s AND p.at < s.ends_at
    WHERE <expected> AND p.outcome = ANY (%(open)s) AND p.at >= %(since)s AND s.marking <> 'locked' AND p.id > %(after)s
    ORDER BY p.id LIMIT %(batch)s
""".replace("<expected>", sheets.EXPECTED)  # nosec B608 - made of constants


class UnknownReaderError(InvalidError):
    """There is no such reader, or it is another account's to report for, or out of use."""

    code = "unknown_reader"
    title = "There is no such reader that you report for."
    field = "reader"


class UnknownCredentialError(InvalidError):
    """No student has the credential; the reader may report it again when one has."""

    code = "unknown_credential"
    title = "No student is known by this credential."
    field = "credential"


class PunchInFutureError(InvalidError):
    """The clock of the reader is wrong."""

    code = "punch_in_future"
    title = "Nothing was seen in the future."
    field = "at"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a reader reports: which event of its own, whose credential, and when."""

    reader: str
    external_event_id: str
    credential: str
    at: datetime


@dataclass(frozen=True)
class Taken:
    """What became of a report: its outcome, known before or not, or why it is not believed."""

    outcome: str = ""
    is_known: bool = False
    refused: DomainError | None = None


@dataclass(frozen=True)
class _Match:
    session: UUID
    enrollment: UUID


@transaction.atomic
def take_punches(seen: Sequence[Seen], *, by: Actor, at: datetime) -> list[Taken]:
    """Take what readers report, each event once, and return what became of each, in their order.

    A report is refused by itself with `unknown_reader`, `unknown_credential` or `punch_in_future`, and then not kept.
    """
    readers = {row.code: row for row in Reader.objects.filter(account=by.pk, is_active=True)}
    hashes = [credential_hash(each.credential) for each in seen]
    rows = Credential.objects.filter(credential_hash__in=set(hashes)).values_list("credential_hash", "student")
    owners: dict[bytes, UUID] = {bytes(found): student for found, student in rows}
    known, waiting = _known(seen, readers)
    found: list[Taken | None] = [
        _refused(each, readers, owners.get(hashed), at) or known.get(_key(each))
        for each, hashed in zip(seen, hashes, strict=True)
    ]
    first: dict[tuple[str, str], int] = {}
    for place, each in enumerate(seen):
        if found[place] is None:
            first.setdefault(_key(each), place)
    again = {place: waiting[key] for key, place in first.items() if key in waiting}
    new = {
        place: _punch(seen[place], readers, owners[hashes[place]])
        for key, place in first.items() if key not in waiting
    }  # fmt: skip
    fresh = new | again
    _mark(fresh, by=by, at=at)
    Punch.objects.bulk_create(new.values(), ignore_conflicts=True)
    _keep(again.values(), at)
    return [
        taken or Taken(fresh[first[_key(each)]].outcome, is_known=first[_key(each)] != place or place in again)
        for place, (each, taken) in enumerate(zip(seen, found, strict=True))
    ]


def weigh_punches(*, at: datetime) -> int:
    """Weigh anew what readers saw lately that was of no class or of a locked sheet; return how many mark now.

    Raises `LockHeldError` when somebody else is at it.
    """
    done, after = 0, UUID(int=0)
    while ids := _changed(at, after):
        after = ids[-1]
        done += _weigh(ids, at)
    return done


@transaction.atomic
def _weigh(ids: Sequence[UUID], at: datetime) -> int:
    hold_named("attendance", "weigh_punches")
    rows = list(_held(Punch.objects.filter(pk__in=ids)).select_related("reader__account"))
    for account in {row.reader.account for row in rows}:
        _mark({place: row for place, row in enumerate(rows) if row.reader.account == account}, by=account, at=at)
    _keep(rows, at)
    return sum(row.outcome == PunchOutcome.MARKED for row in rows)


def _changed(at: datetime, after: UUID) -> list[UUID]:
    """Return punches of late that are of a class by now."""
    wanted: dict[str, Any] = {"early": EARLY, "open": [str(each) for each in OPEN], "since": at - LOOKS_BACK}
    with connection.cursor() as cursor:
        cursor.execute(_CHANGED, {**wanted, "after": after, "batch": BATCH})
        return [row[0] for row in cursor.fetchall()]


def _held(rows: QuerySet[Punch]) -> QuerySet[Punch]:
    """Lock what may become another thing; what somebody else has decided meanwhile is none of it."""
    return rows.filter(outcome__in=OPEN).order_by("pk").select_for_update(of=("self",), no_key=True)


def _keep(punches: Collection[Punch], at: datetime) -> None:
    """Write down what came of punches that were kept before."""
    for punch in punches:
        punch.updated_at = at
    Punch.objects.bulk_update(punches, ["outcome", "session", "updated_at"])


def _punch(each: Seen, readers: Mapping[str, Reader], student: UUID) -> Punch:
    event = each.external_event_id
    return Punch(reader=readers[each.reader], external_event_id=event, student_id=student, at=each.at)


def _known(
    seen: Sequence[Seen], readers: Mapping[str, Reader]
) -> tuple[dict[tuple[str, str], Taken], dict[tuple[str, str], Punch]]:
    """Return what became of what was reported before, and what of that is to be weighed again, locked."""
    rows = Punch.objects.filter(
        reader__in=readers.values(), external_event_id__in={each.external_event_id for each in seen}
    )
    waiting = {(row.reader.code, row.external_event_id): row for row in _held(rows).select_related("reader")}
    told = rows.values_list("reader__code", "external_event_id", "outcome")
    known = {(code, event): Taken(outcome, is_known=True) for code, event, outcome in told}
    return {key: taken for key, taken in known.items() if key not in waiting}, waiting


def _refused(each: Seen, readers: Mapping[str, Reader], student: UUID | None, at: datetime) -> Taken | None:
    """Return why a report is not believed, if it is not."""
    if each.reader not in readers:
        return Taken(refused=UnknownReaderError())
    if each.at > at + AHEAD:
        return Taken(refused=PunchInFutureError())
    return Taken(refused=UnknownCredentialError()) if student is None else None


def _mark(punches: Mapping[int, Punch], *, by: Actor, at: datetime) -> None:
    """Mark whom punches have seen, and write down in each what came of it."""
    matches = _matches(punches)
    wanted = sorted({match.session for match in matches.values()})
    found = ClassSession.objects.filter(pk__in=wanted).select_related("section__term").order_by("pk")
    rows = found.select_for_update(of=("self",), no_key=True)
    sessions = {row.pk: row for row in rows}
    open_ones = {pk: row for pk, row in sessions.items() if row.marking != Marking.LOCKED and not is_over(row)}
    codes = sheets.codes_by_name()
    lines = sheets.lines_of(open_ones.values(), students={punch.student_id for punch in punches.values()})
    limits = on_time({match.enrollment for match in matches.values()})
    marks: dict[sheets.Key, sheets.Made] = {}
    for place, punch in sorted(punches.items(), key=lambda item: item[1].at):
        match = matches.get(place)
        punch.outcome, punch.session_id = PunchOutcome.NO_SESSION, None
        if match is None:
            continue
        punch.session_id = match.session
        key = match.session, match.enrollment
        punch.outcome = PunchOutcome.KEPT if match.session in open_ones else PunchOutcome.SESSION_LOCKED
        if key not in lines or key in marks:
            continue
        arrival = arrived(open_ones[match.session], match.enrollment, at=punch.at, on_time=limits[match.enrollment])
        if lines[key].own.saw_as_early(arrival.minutes_late):
            continue
        code = late_code(arrival.code, arrival.minutes_late, codes)
        marks[key] = sheets.Made(code.pk, arrival.minutes_late, **sheets.marked_by(Source.READER, by, at))
        punch.outcome = PunchOutcome.MARKED
    written = sheets.put({key: lines[key] for key in marks}, marks, open_ones, codes, at=at)
    for place, punch in punches.items():
        if place in matches and (matches[place].session, matches[place].enrollment) in written.kept:
            punch.outcome = PunchOutcome.KEPT


def _matches(punches: Mapping[int, Punch]) -> dict[int, _Match]:
    """Return the class of each punch that is of one."""
    parameters: dict[str, Any] = {
        "places": list(punches),
        "students": [punch.student_id for punch in punches.values()],
        "rooms": [punch.reader.room_id for punch in punches.values()],
        "times": [punch.at for punch in punches.values()],
        "early": EARLY,
    }
    with connection.cursor() as cursor:
        cursor.execute(_MATCHES, parameters)
        return {place: _Match(session, enrollment) for place, session, enrollment in cursor.fetchall()}


def _key(each: Seen) -> tuple[str, str]:
    return each.reader, each.external_event_id
