"""Every named constraint of sessions and of what they reserve refuses what it names, whoever writes."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange
from django.db.models import ProtectedError

from attendance.models import (
    AttendanceCode,
    AttendancePolicy,
    AttendanceRecord,
    AttendanceSummary,
    CheckInEvent,
    CheckInWindow,
    ClassSession,
    CoveredMark,
    Credential,
    DecisionRun,
    EligibilityDecision,
    ExcuseEvent,
    ExcuseRequest,
    OfflineMark,
    Punch,
    Reader,
    Substitution,
    SubstitutionEvent,
)
from core.db.constraints import error_for
from departments.models import RoomReservation
from faculty.models import FacultyReservation
from tests.accounts.factories import UserFactory
from tests.attendance.factories import (
    AttendanceCodeFactory,
    AttendancePolicyFactory,
    AttendanceRecordFactory,
    CheckInEventFactory,
    CheckInWindowFactory,
    CoveredMarkFactory,
    CredentialFactory,
    DecisionRunFactory,
    EligibilityDecisionFactory,
    ExcuseRequestFactory,
    OfflineMarkFactory,
    PunchFactory,
    ReaderFactory,
    SubstitutionFactory,
)
from tests.courses.factories import CourseFactory, SectionFactory
from tests.departments.factories import RoomFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.faculty.factories import FacultyFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 10, 12, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SLOT = DateTimeTZRange(NOON, NOON + HOUR, "[)")
LATER = DateTimeTZRange(NOON + HOUR, NOON + 2 * HOUR, "[)")
ENDLESS = DateTimeTZRange(NOON, None, "[)")


def session(**values):
    usual = {"gathering": uuid4(), "planned_on": date(2026, 10, 12), "local_date": date(2026, 10, 12)}
    section = values.pop("section", None) or SectionFactory()
    return ClassSession.objects.create(
        **{**usual, "section": section, "starts_at": NOON, "ends_at": NOON + HOUR, **values}
    )


def room(**values):
    own = values.pop("room", None) or RoomFactory()
    return RoomReservation.objects.create(**{"room": own, "slot": SLOT, "kind": "class", "what": "x", **values})


def person(**values):
    own = values.pop("faculty", None) or FacultyFactory()
    return FacultyReservation.objects.create(
        **{"faculty": own, "slot": SLOT, "kind": "class", "what": "x", "source": uuid4(), **values}
    )


VIOLATIONS = {
    "attendance_classsession_once": lambda: (one := session(), session(section=one.section, gathering=one.gathering)),
    "attendance_classsession_has_length": lambda: session(ends_at=NOON),
    "attendance_classsession_within_a_day": lambda: session(ends_at=NOON + timedelta(days=1, seconds=1)),
    "attendance_classsession_status_known": lambda: session(status="mood"),
    "attendance_classsession_marking_known": lambda: session(marking="mood"),
    "attendance_classsession_identity": lambda: (one := session(), session(id=one.pk, section=one.section)),
    "attendance_attendancecode_unique_code": lambda: (
        one := AttendanceCodeFactory(), AttendanceCode.objects.create(code=one.code, weight=0)
    ),
    "attendance_attendancecode_is_a_word": lambda: AttendanceCodeFactory(code="A mood"),
    "attendance_attendancecode_weight_in_range": lambda: AttendanceCodeFactory(weight=Decimal("1.001")),
    "attendance_attendancecode_exempt_counts_nothing": lambda: AttendanceCodeFactory(is_exempt=True),
    "attendance_attendancerecord_once": lambda: (
        one := AttendanceRecordFactory(), AttendanceRecordFactory(session=one.session, enrollment=one.enrollment)
    ),
    "attendance_attendancerecord_source_known": lambda: AttendanceRecordFactory(source="mood"),
    "attendance_attendancerecord_late_within_a_day": lambda: AttendanceRecordFactory(minutes_late=1441),
    "attendance_attendancepolicy_no_overlap": lambda: [AttendancePolicyFactory() for _ in range(2)],
    "attendance_attendancepolicy_has_length": lambda: AttendancePolicyFactory(
        valid=DateRange(date(2026, 10, 12), date(2026, 10, 12), "[)")
    ),
    "attendance_attendancepolicy_one_scope": lambda: AttendancePolicyFactory(
        course=CourseFactory(), section=SectionFactory()
    ),
    "attendance_attendancepolicy_floor_below_threshold": lambda: AttendancePolicyFactory(condonation_floor=76),
    "attendance_attendancepolicy_late_weight_in_range": lambda: AttendancePolicyFactory(late_weight=Decimal("1.1")),
    "attendance_attendancepolicy_lates_weigh": lambda: AttendancePolicyFactory(lates_per_absence=3),
    "attendance_attendancepolicy_kinds_known": lambda: AttendancePolicyFactory(basis="mood"),
    "attendance_checkinwindow_has_length": lambda: CheckInWindowFactory(opens_at=NOON, closes_at=NOON),
    "attendance_checkinwindow_place_is_whole": lambda: CheckInWindowFactory(latitude=Decimal(48)),
    "attendance_checkinevent_once": lambda: (
        one := CheckInEventFactory(outcome="accepted"),
        CheckInEventFactory(session=one.session, student=one.student, outcome="accepted", device_hash=b"another"),
    ),
    "attendance_checkinevent_device_in_one_place": lambda: (
        one := CheckInEventFactory(outcome="accepted"), CheckInEventFactory(during=one.during, outcome="accepted")
    ),
    "attendance_checkinevent_outcome_known": lambda: CheckInEventFactory(outcome="mood"),
    "attendance_attendancecode_late_by_minutes": lambda: AttendanceCodeFactory(late_from=5),
    "attendance_attendancecode_late_from_once": lambda: [
        AttendanceCodeFactory(late_from=5, takes_minutes=True) for _ in range(2)
    ],
    "attendance_excuserequest_no_overlap": lambda: (
        one := ExcuseRequestFactory(status="approved"), ExcuseRequestFactory(status="approved", student=one.student)
    ),
    "attendance_excuserequest_has_length": lambda: ExcuseRequestFactory(period=ENDLESS),
    "attendance_excuserequest_within_a_year": lambda: ExcuseRequestFactory(
        period=DateTimeTZRange(NOON, NOON + timedelta(days=367), "[)")
    ),
    "attendance_excuserequest_kind_known": lambda: ExcuseRequestFactory(kind="mood"),
    "attendance_excuserequest_status_known": lambda: ExcuseRequestFactory(status="mood"),
    "attendance_excuserequest_decided_by_another": lambda: (
        one := UserFactory(), ExcuseRequestFactory(status="revoked", requested_by=one, decided_by=one)
    ),
    "attendance_eligibilitydecision_one_current": lambda: (
        one := EligibilityDecisionFactory(), EligibilityDecisionFactory(enrollment=one.enrollment)
    ),
    "attendance_eligibilitydecision_follows": lambda: EligibilityDecisionFactory(outcome="eligible"),
    "attendance_eligibilitydecision_condoned_by_one": lambda: EligibilityDecisionFactory(
        outcome="condoned", condoned_from=65
    ),
    "attendance_eligibilitydecision_adds_up": lambda: EligibilityDecisionFactory(outcome="eligible", attended=11),
    "attendance_decisionrun_state_known": lambda: DecisionRunFactory(state="mood"),
    "attendance_decisionrun_one_scope": lambda: (
        one := CourseFactory(), DecisionRunFactory(course=one, department=one.department)
    ),
    "attendance_decisionrun_progress_in_range": lambda: DecisionRunFactory(sections_done=2),
    "attendance_decisionrun_over_or_not": lambda: DecisionRunFactory(state="done"),
    "attendance_coveredmark_once": lambda: (
        one := CoveredMarkFactory(), CoveredMarkFactory(session=one.session, enrollment=one.enrollment)
    ),
    "attendance_coveredmark_whole": lambda: CoveredMarkFactory(source="manual"),
    "attendance_attendancesummary_adds_up": lambda: (
        AttendanceRecordFactory(), AttendanceSummary.objects.update(attended=2)
    ),
    "attendance_offlinemark_once": lambda: (
        one := OfflineMarkFactory(), OfflineMarkFactory(user=one.user, client_id=one.client_id)
    ),
    "attendance_offlinemark_outcome_known": lambda: OfflineMarkFactory(outcome="mood"),
    "attendance_reader_unique_code": lambda: [ReaderFactory(code="R") for _ in range(2)],
    "attendance_credential_once": lambda: [CredentialFactory(credential_hash=b"a card") for _ in range(2)],
    "attendance_punch_once": lambda: (
        one := PunchFactory(), PunchFactory(reader=one.reader, external_event_id=one.external_event_id)
    ),
    "attendance_punch_outcome_known": lambda: PunchFactory(outcome="mood"),
    "attendance_substitution_one_open": lambda: (
        one := SubstitutionFactory(), SubstitutionFactory(session=one.session)
    ),
    "attendance_substitution_one_accepted": lambda: (
        one := SubstitutionFactory(status="accepted"), SubstitutionFactory(session=one.session, status="accepted")
    ),
    "attendance_substitution_by_another": lambda: (
        one := FacultyFactory(), SubstitutionFactory(substitute=one, instructor=one)
    ),
    "attendance_substitution_status_known": lambda: SubstitutionFactory(status="mood"),
    "departments_roomreservation_room_free": lambda: room(room=room().room),
    "departments_roomreservation_one_of_source": lambda: [room(source=source) for source in [uuid4()] * 2],
    "departments_roomreservation_has_length": lambda: room(slot=ENDLESS),
    "departments_roomreservation_kind_known": lambda: room(kind="mood"),
    "departments_roomreservation_status_known": lambda: room(status="mood"),
    "faculty_facultyreservation_free": lambda: person(faculty=person().faculty),
    "faculty_facultyreservation_once": lambda: (
        one := person(), person(faculty=one.faculty, source=one.source, slot=LATER)
    ),
    "faculty_facultyreservation_kind_known": lambda: person(kind="mood"),
    "faculty_facultyreservation_has_length": lambda: person(slot=ENDLESS),
}  # fmt: skip


def test_every_constraint_is_tried():
    own = (ClassSession, AttendanceCode, AttendancePolicy, AttendanceRecord, CheckInWindow, CheckInEvent)
    marked = (AttendanceSummary, EligibilityDecision, DecisionRun, ExcuseRequest, CoveredMark, OfflineMark)
    doors = (Reader, Credential, Punch)
    models = (*own, *marked, *doors, Substitution, RoomReservation, FacultyReservation)

    assert {constraint.name for model in models for constraint in model._meta.constraints} == VIOLATIONS.keys()


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_is_refused_by_name(name):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        VIOLATIONS[name]()

    # Of a table that is kept by month, each month has a unique index of its own.
    names = {"attendance_classsession_identity": "attendance_classsession_pkey"}
    found = refused.value.__cause__.diag
    if name == "attendance_attendancerecord_once":
        assert (found.sqlstate, "session_id_enrollment_id" in found.constraint_name) == ("23505", True)
    else:
        assert found.constraint_name == names.get(name, name)


def test_a_record_is_about_the_section_of_both_its_session_and_its_student_and_about_its_day():
    stranger, other_day = EnrollmentFactory(), date(2026, 10, 13)
    refused = {
        "attendance_attendancerecord_enrollment_matches": {"enrollment": stranger},
        "attendance_attendancerecord_session_matches": {"local_date": other_day, "session": session()},
    }

    for name, values in refused.items():
        with pytest.raises(IntegrityError) as violation, transaction.atomic():
            AttendanceRecordFactory(**values)
        assert violation.value.__cause__.diag.constraint_name == name


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.update(reason="Something else"),
        lambda rows: rows.update(attended=Decimal("7.1")),
        lambda rows: rows.update(superseded_at=None),
        lambda rows: rows.update(superseded_at=NOON + HOUR),
        lambda rows: rows.delete(),
    ],
)
def test_what_was_decided_stays_as_it_was_decided(change):
    decided = EligibilityDecision.objects.filter(pk=EligibilityDecisionFactory(reason="Ill").pk)
    decided.update(superseded_at=NOON)

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        change(decided)

    assert refused.value.__cause__.diag.constraint_name == "attendance_eligibilitydecision_final"
    assert error_for(refused.value).error_code == "immutable"


@pytest.mark.parametrize("change", [lambda rows: rows.update(reason="Another"), lambda rows: rows.delete()])
@pytest.mark.parametrize("kind", ["excuseevent", "substitutionevent"])
def test_a_step_that_was_recorded_stays_as_it_was(kind, change):
    step = {"from_status": "", "happened_at": NOON, "reason": "Ill"}
    if kind == "excuseevent":
        made = ExcuseEvent.objects.create(excuse=ExcuseRequestFactory(), to_status="submitted", **step)
    else:
        made = SubstitutionEvent.objects.create(substitution=SubstitutionFactory(), to_status="proposed", **step)

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        change(type(made).objects.filter(pk=made.pk))

    assert refused.value.__cause__.diag.constraint_name == f"attendance_{kind}_append_only"
    assert error_for(refused.value).error_code == "immutable"


def test_a_session_with_records_is_not_deleted():
    record = AttendanceRecordFactory()

    with pytest.raises(ProtectedError):
        record.session.delete()


def test_one_use_after_another_one_that_is_off_and_one_that_is_waived_do_not_clash():
    held = room()

    room(room=held.room, slot=LATER)
    room(room=held.room, status="cancelled")
    room(room=held.room, conflict_waived=True)
    wanted = person()
    person(faculty=wanted.faculty, cancelled_at=NOON)
