"""Who can stand in for whom in a session, and what becomes of the reservations when somebody does."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from attendance.models import ClassSession, SessionStatus
from attendance.selectors import expected_in
from attendance.services.planning import called
from attendance.services.teaching import TEACHERS, teachers_of
from core.errors import ConflictError, DomainError
from core.visibility import Actor
from courses.models import InstructorRole, SectionInstructor
from departments.models import ReservationKind
from faculty.models import Faculty, FacultyReservation, FacultyStatus
from faculty.services import FacultyTakenError, release_faculty, reserve_faculty


class SessionSubstitutedError(ConflictError):
    """Somebody has agreed to teach the session; who wants another one revokes that first."""

    code = "session_substituted"
    title = "Somebody substitutes in this session already."
    field = "session"


class SessionWithoutTeacherError(ConflictError):
    """There is nobody in whose place somebody could teach."""

    code = "session_without_teacher"
    title = "Nobody teaches the section of this session."
    field = "session"


class InstructorNotTeachingError(ConflictError):
    """Whoever is to be replaced has no part in the class."""

    code = "instructor_not_teaching"
    title = "This member of the faculty does not teach the section."
    field = "instructor"


class SubstituteTeachesError(ConflictError):
    """Whoever teaches the section anyway stands in for nobody."""

    code = "substitute_teaches"
    title = "This member of the faculty teaches the section already."
    field = "substitute"


class SubstituteNotActiveError(ConflictError):
    """Whoever is on leave, suspended or gone teaches nothing."""

    code = "substitute_not_active"
    title = "This member of the faculty is not active."
    field = "substitute"


class SubstituteEnrolledError(ConflictError):
    """Nobody teaches, or marks, a class in which they sit themselves."""

    code = "substitute_enrolled"
    title = "This member of the faculty is expected in the session as a student."
    field = "substitute"


def instructors_of(session: ClassSession) -> Sequence[SectionInstructor]:
    """Return who teaches the section of a session, the primary instructor first."""
    rows = SectionInstructor.objects.filter(section=session.section_id, role__in=TEACHERS).select_related("faculty")
    return sorted(rows, key=lambda row: (row.role != InstructorRole.PRIMARY, row.pk))


def usual(teachers: Sequence[SectionInstructor], by: Actor | None) -> Faculty:
    """Return whom a proposal is about that names nobody; raise `SessionWithoutTeacherError` where nobody teaches."""
    person = getattr(by, "person_id", None)
    own = [row.faculty for row in teachers if row.faculty.person_id == person]
    found = next(iter([*own, *(row.faculty for row in teachers)]), None)
    if found is None:
        raise SessionWithoutTeacherError
    return found


def unfit(
    session: ClassSession, instructor: Faculty, substitute: Faculty, teachers: Sequence[SectionInstructor]
) -> Iterator[DomainError]:
    """Say why one of the two does not teach this session in the place of the other."""
    if session.substitute_id is not None:
        yield SessionSubstitutedError()
    teaching = {row.faculty_id for row in teachers}
    if instructor.pk not in teaching:
        yield InstructorNotTeachingError()
    if substitute.pk in teaching or substitute.pk == instructor.pk:
        yield SubstituteTeachesError()
    if substitute.status != FacultyStatus.ACTIVE:
        yield SubstituteNotActiveError()
    if expected_in(session).filter(student__person=substitute.person_id).exists():
        yield SubstituteEnrolledError()


def settle(session: ClassSession, faculty: Sequence[Faculty], *, at: datetime, as_before: bool = False) -> None:
    """Want those of these people who teach at the gathering now, and the others no longer."""
    there = ClassSession.objects.filter(gathering=session.gathering, status=SessionStatus.SCHEDULED)
    sections = [row.section for row in there.select_related("section__course")]
    wanted = teachers_of({session.gathering: [section.pk for section in sections]})[session.gathering]
    held = FacultyReservation.objects.filter(source=session.gathering, cancelled_at=None)
    present = set(held.values_list("faculty", flat=True))
    for person in faculty:
        if person.pk in wanted - present:
            _reserve(person, session, called(sections), as_before=as_before)
    release_faculty([session.gathering], at=at, faculty=[one.pk for one in faculty if one.pk not in wanted])


def _reserve(person: Faculty, session: ClassSession, what: str, *, as_before: bool) -> None:
    try:
        reserve_faculty(
            faculty=person, starts_at=session.starts_at, ends_at=session.ends_at, kind=ReservationKind.CLASS, what=what,
            source=session.gathering, as_before=as_before,
        )  # fmt: skip
    except FacultyTakenError as refused:
        field = "instructor" if as_before else "substitute"
        raise FacultyTakenError(refused.detail, field=field, meta=refused.meta) from refused
