"""Excuses over HTTP: asked for, decided by another, covering what overlaps, and taken back without a trace on marks."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import Role, ScopeKind
from attendance import services
from attendance.models import AttendanceRecord, ClassSession, CoveredMark, ExcuseEvent, ExcuseRequest
from attendance.services import sheets
from audit.models import Change, Disclosure
from core.models import CustomField, OutboxEvent
from tests.accounts.factories import RoleAssignmentFactory
from tests.attendance.factories import (
    AttendanceCodeFactory,
    AttendanceRecordFactory,
    ClassSessionFactory,
    ExcuseRequestFactory,
    usual_codes,
)
from tests.courses.factories import SectionInstructorFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.files.contents import PDF, uploaded
from tests.racing import PATIENCE, at_once, outcome_of, wait_until_somebody_waits

pytestmark = pytest.mark.django_db
LIST = "/api/v1/attendance/excuses/"
HOUR = timedelta(hours=1)
MARK = ("code__code", "minutes_late", "source", "marked_by", "marked_at", "client_id")


@pytest.fixture
def campus(user_with, client_for, registrar, registrar_client):
    """Ada, who takes a section, her teacher, her head of department, and three classes: morning, noon and evening."""
    taught = SectionInstructorFactory()
    here = registrar_client
    here.codes = usual_codes()
    here.enrollment = EnrollmentFactory(section=taught.section)
    here.student = here.enrollment.student
    here.now = timezone.now()
    here.sessions = [
        ClassSessionFactory(
            section=taught.section, starts_at=here.now - hours * HOUR, ends_at=here.now - hours * HOUR + HOUR
        )
        for hours in (9, 6, 3)
    ]
    here.user = registrar
    here.ada_user = user_with(Role.STUDENT, "self", person=here.student.person)
    here.ada = client_for(here.ada_user)
    here.teacher_user = user_with(Role.FACULTY, "self", person=taught.faculty.person)
    here.teacher = client_for(here.teacher_user)
    here.head = client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, here.student.department_id))
    return here


def body(campus, *, first=1, last=1, **more):
    """Ask for the time from the middle of a class to the middle of another."""
    return {
        "student": str(campus.student.pk), "kind": "medical", "statement": "Measles",
        "starts_at": campus.sessions[first].starts_at + HOUR / 2, "ends_at": campus.sessions[last].ends_at - HOUR / 3,
        **more,
    }  # fmt: skip


def asked(campus, **more):
    answer = campus.ada.post(LIST, body(campus, **more), format="json")
    assert answer.status_code == 201, answer.json()
    return answer.json()["data"]["id"]


def step(client, excuse, verb, **given):
    stated = {"If-Match": f'"{ExcuseRequest.objects.get(pk=excuse).version}-read"'}
    return client.post(f"{LIST}{excuse}/{verb}/", given, format="json", headers=stated)


def approved(campus, **more):
    excuse = asked(campus, **more)
    answer = step(campus, excuse, "approve")
    assert answer.status_code == 200, answer.json()
    return excuse


def put(client, session, *marks, **more):
    page = f"/api/v1/attendance/sessions/{session.pk}/roster/"
    headers = {"If-Match": client.get(page).headers["ETag"]}
    return client.put(page, {"marks": list(marks), **more}, format="json", headers=headers)


def marks(campus):
    """Return what Ada is marked with in each of the classes, as it stands in the database."""
    rows = {row.pop("session"): tuple(row.values()) for row in AttendanceRecord.objects.values("session", *MARK)}
    return [rows.get(session.pk) for session in campus.sessions]


def names(campus):
    return [row and row[0] for row in marks(campus)]


def code_of(answer):
    return answer.status_code, answer.json()["code"]


def test_an_approved_excuse_covers_the_classes_that_overlap_it_and_no_other_of_the_day(campus):
    excuse = asked(campus)
    assert names(campus) == [None, None, None]

    answer = step(campus, excuse, "approve", reason="Certificate seen")

    assert answer.json()["data"]["status"] == "approved"
    assert names(campus) == [None, "excused", None]
    assert marks(campus)[1][2] == "excuse"
    event = OutboxEvent.objects.get(name="attendance.excuse.approved")
    assert (event.payload["sessions"], event.payload["excuse_id"]) == (1, excuse)
    steps = ExcuseEvent.objects.filter(excuse=excuse).order_by("happened_at")
    assert [(row.from_status, row.to_status, row.reason) for row in steps] == [
        ("", "submitted", ""), ("submitted", "approved", "Certificate seen"),
    ]  # fmt: skip
    assert steps[0].actor.person == campus.student.person
    assert Change.objects.filter(row_id=excuse).count() == 2


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_a_decision_is_about_what_was_read(campus, verb):
    page = f"{LIST}{asked(campus)}/"
    read = campus.get(page).headers["ETag"]

    def decide(**headers):
        return campus.post(f"{page}{verb}/", {}, format="json", headers=headers)

    assert code_of(decide()) == (428, "precondition_required")
    assert code_of(decide(**{"If-Match": "*"})) == (428, "precondition_required")
    longer = {"ends_at": campus.now + 300 * 24 * HOUR, "kind": "on_duty"}
    assert campus.ada.patch(page, longer, format="json").status_code == 200
    assert code_of(decide(**{"If-Match": read})) == (412, "precondition_failed")
    assert ExcuseRequest.objects.get().status == "submitted"
    assert decide(**{"If-Match": campus.get(page).headers["ETag"]}).status_code == 200


def test_a_class_that_ends_as_the_excuse_begins_is_not_covered(campus):
    first, second, third = campus.sessions
    excuse = asked(campus, starts_at=first.ends_at, ends_at=third.starts_at)

    step(campus, excuse, "approve")

    assert names(campus) == [None, "excused", None]
    assert second.starts_at > first.ends_at


def test_official_absence_is_marked_as_such_for_it_counts_otherwise(campus):
    approved(campus, kind="on_duty")

    assert names(campus) == [None, "on_duty", None]


def test_what_is_revoked_leaves_every_mark_exactly_as_it_was(campus):
    first, second, third = campus.sessions
    AttendanceRecordFactory(session=first, enrollment=campus.enrollment, code=campus.codes.absent)
    AttendanceRecordFactory(
        session=second, enrollment=campus.enrollment, code=campus.codes.late, minutes_late=7, source="qr",
        marked_by=campus.teacher_user, client_id="01955500-0000-7000-8000-000000000001",
    )  # fmt: skip
    before = marks(campus)
    excuse = approved(campus, first=0, last=2)
    assert names(campus) == ["excused"] * 3

    answer = step(campus, excuse, "revoke", reason="Forged")

    assert answer.json()["data"]["status"] == "revoked"
    assert marks(campus) == before
    assert before[2] is None
    assert third.records.count() == CoveredMark.objects.count() == 0
    # Who has read a sheet before is told to read again.
    assert set(ClassSession.objects.values_list("version", flat=True)) == {3}


def test_what_a_teacher_marks_of_somebody_who_is_excused_comes_back_when_that_is_revoked(campus):
    _, session, _ = campus.sessions
    AttendanceRecordFactory(session=session, enrollment=campus.enrollment, code=campus.codes.present)
    excuse = approved(campus)

    answer = put(campus.teacher, session, default="absent")

    assert answer.json()["data"]["kept"] == [str(campus.enrollment.pk)]
    assert answer.json()["data"]["counts"] == {"excused": 1}
    # The sheet is sent back as it was read: that says nothing of what she would be marked with.
    put(campus.teacher, session, {"enrollment": str(campus.enrollment.pk), "code": "excused"})
    step(campus, excuse, "revoke")
    assert names(campus)[1] == "absent"
    assert marks(campus)[1][2:4] == ("manual", campus.teacher_user.pk)


def test_classes_that_are_opened_or_marked_later_within_the_time_are_covered(campus):
    coming = ClassSessionFactory(section=campus.enrollment.section, starts_at=campus.now + HOUR / 6)
    excuse = approved(campus, ends_at=campus.now + 2 * HOUR)
    late = ClassSessionFactory(section=campus.enrollment.section, starts_at=campus.now - 2 * HOUR)
    classmate = EnrollmentFactory(section=campus.enrollment.section)
    assert not coming.records.exists()

    campus.teacher.post(f"/api/v1/attendance/sessions/{coming.pk}/open/")
    answer = put(campus.teacher, late, {"enrollment": str(classmate.pk), "code": "present"})

    assert coming.records.get().code.code == "excused"
    assert answer.json()["data"]["counts"] == {"excused": 1, "present": 1}
    step(campus, excuse, "revoke")
    assert list(late.records.values_list("code__code", flat=True)) == ["present"]


def test_a_class_that_nobody_has_marked_is_covered_at_night(campus):
    approved(campus, ends_at=campus.now + HOUR)
    late = ClassSessionFactory(section=campus.enrollment.section, starts_at=campus.now - 2 * HOUR)

    call_command("apply_excuses")

    assert late.records.get().code.code == "excused"
    late.refresh_from_db()
    assert late.marking == "scheduled"
    assert services.apply_excuses(at=timezone.now()) == 0


def test_a_class_in_which_somebody_is_excused_is_not_moved_out_of_the_time_that_was(campus):
    session = campus.sessions[1]
    excuse = approved(campus)
    later = {"starts_at": session.starts_at + HOUR, "ends_at": session.ends_at + HOUR}
    page = f"/api/v1/attendance/sessions/{session.pk}/reschedule/"

    def moved():
        tag = campus.get(f"/api/v1/attendance/sessions/{session.pk}/").headers["ETag"]
        return campus.post(page, later, format="json", headers={"If-Match": tag})

    assert code_of(moved()) == (409, "session_marked")
    step(campus, excuse, "revoke")
    assert moved().status_code == 200


def test_of_two_excuses_in_one_class_the_other_goes_on_when_one_is_revoked(campus):
    session = campus.sessions[1]
    AttendanceRecordFactory(session=session, enrollment=campus.enrollment, code=campus.codes.absent)
    middle = session.starts_at + HOUR / 2
    morning = approved(campus, starts_at=session.starts_at, ends_at=middle)
    afternoon = approved(campus, starts_at=middle, ends_at=session.ends_at, kind="on_duty")

    step(campus, morning, "revoke")
    assert names(campus)[1] == "on_duty"

    step(campus, afternoon, "revoke")
    assert names(campus)[1] == "absent"


def test_nobody_is_excused_twice_for_one_time_and_to_approve_twice_is_to_approve_once(campus):
    excuse, other = asked(campus), asked(campus)

    answers = [step(campus, excuse, "approve"), step(campus, excuse, "approve"), step(campus, other, "approve")]

    assert [answer.status_code for answer in answers] == [200, 200, 409]
    assert answers[2].json()["code"] == "excuse_overlap"
    assert OutboxEvent.objects.filter(name="attendance.excuse.approved").count() == 1
    assert step(campus, other, "reject").status_code == 200
    assert code_of(step(campus, other, "revoke")) == (409, "excuse_transition")
    again = campus.ada.patch(f"{LIST}{excuse}/", {"statement": "Mumps"}, format="json")
    assert code_of(again) == (409, "excuse_decided")


@pytest.mark.checklist(13)
def test_nobody_decides_about_what_they_asked_for_or_about_themselves(campus):
    own = campus.post(LIST, body(campus), format="json").json()["data"]["id"]
    excuse = asked(campus)
    assert step(campus.ada, excuse, "approve").status_code == 403
    RoleAssignmentFactory(user=campus.ada_user, role=Role.REGISTRAR, scope_kind="institution")

    refused = [step(campus, own, "approve"), step(campus.ada, own, "reject")]
    assert [code_of(answer) for answer in refused] == [(403, "self_approval")] * 2
    assert step(campus.teacher, excuse, "approve").status_code == 403
    assert step(campus.head, excuse, "approve").status_code == 200
    # Whoever takes it back decides as well.
    assert code_of(step(campus.ada, excuse, "revoke")) == (403, "self_approval")
    assert names(campus)[1] == "excused"


def test_a_sheet_that_is_final_is_neither_covered_nor_uncovered(campus):
    excuse = asked(campus, first=0, last=2)
    ClassSession.objects.filter(pk=campus.sessions[1].pk).update(marking="locked")

    refused = step(campus, excuse, "approve")

    assert code_of(refused) == (409, "session_locked")
    assert refused.json()["errors"][0]["meta"] == {"sessions": [str(campus.sessions[1].pk)]}
    assert names(campus) == [None] * 3
    assert ExcuseRequest.objects.get(pk=excuse).status == "submitted"
    ClassSession.objects.update(marking="closed")
    step(campus, excuse, "approve")
    ClassSession.objects.update(marking="locked")
    assert code_of(step(campus, excuse, "revoke")) == (409, "session_locked")
    assert names(campus) == ["excused"] * 3


@pytest.mark.checklist(6)
def test_why_somebody_is_excused_is_told_those_who_decide_and_nobody_else(campus, user_with, client_for):
    CustomField.objects.update_or_create(
        entity_type="attendance.excuserequest", name="document",
        defaults={"label": "Document", "field_type": "file", "protected": True},
    )  # fmt: skip
    certificate = uploaded(campus.ada_user, PDF, "certificate.pdf")
    excuse = approved(campus, custom_fields={"document": str(certificate.pk)})
    advising = user_with(Role.ADVISOR, "self")
    campus.student.advisor = advising.person
    campus.student.save()
    advisor = client_for(advising)
    page, content = f"{LIST}{excuse}/", f"/api/v1/files/{certificate.pk}/content/"

    seen = campus.head.get(page).json()["data"]
    assert (seen["kind"], seen["statement"], list(seen["custom_fields"])) == ("medical", "Measles", ["document"])
    masked = advisor.get(page).json()["data"]
    assert (masked["status"], masked["kind"], masked["statement"], masked["custom_fields"]) == (
        "approved",
        None,
        None,
        {"document": None},
    )
    assert [client.get(content).status_code for client in (campus.ada, campus.head, advisor)] == [200, 200, 404]
    assert campus.teacher.get(page).status_code == 403
    assert advisor.get(f"{page}history/").status_code == 403
    entries = campus.teacher.get(f"/api/v1/attendance/sessions/{campus.sessions[1].pk}/roster/").content.decode()
    assert "excused" in entries
    assert not any(word in entries for word in ("medical", "Measles", excuse, str(certificate.pk)))
    assert Disclosure.objects.filter(what="excuse").exists()


def test_excuses_are_listed_in_pages_and_narrowed(campus, django_assert_max_num_queries):
    ids = [str(ExcuseRequestFactory(student=campus.student, period=span).pk) for span in spans(campus.now)]
    ExcuseRequestFactory()

    with django_assert_max_num_queries(5):
        page = campus.ada.get(f"{LIST}?page_size=2").json()

    assert [row["id"] for row in page["data"]] == [ids[2], ids[1]]
    assert page["meta"]["pagination"]["next"]
    then = (campus.now + HOUR * 1.5).isoformat().replace("+00:00", "Z")
    found = campus.get(LIST, {"student": str(campus.student.pk), "ends_after": then, "starts_before": then})
    assert [row["id"] for row in found.json()["data"]] == [ids[1]]
    assert campus.get(f"{LIST}?kind=medical").json()["errors"][0]["code"] == "unknown_parameter"


def spans(now):
    edges = [now, now + HOUR, now + 2 * HOUR, now + 3 * HOUR]
    return [DateTimeTZRange(first, second, "[)") for first, second in pairwise(edges)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_before_start"),
        ({"starts_at": "2020-01-01T00:00:00Z"}, "excuse_too_long"),
        ({"kind": "hangover"}, "invalid_choice"),
        ({"student": "00000000-0000-0000-0000-000000000000"}, "does_not_exist"),
        ({"status": "approved"}, "read_only_field"),
    ],
)
def test_what_makes_no_sense_is_not_asked_for(campus, changes, code):
    answer = campus.ada.post(LIST, body(campus, **changes), format="json")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)
    assert not ExcuseRequest.objects.exists()


def test_three_hundred_classes_cost_as_many_statements_as_three(campus):
    section = campus.enrollment.section

    def cost(first, last):
        ClassSession.objects.bulk_create(
            ClassSessionFactory.build(section=section, starts_at=campus.now - ago * HOUR) for ago in range(first, last)
        )
        span = {"starts_at": campus.now - (last - 1) * HOUR, "ends_at": campus.now - first * HOUR + HOUR / 4}
        excuse = ExcuseRequest.objects.get(pk=asked(campus, **span))
        with CaptureQueriesContext(connection) as approving:
            services.approve_excuse(excuse, by=campus.user, at=campus.now)
        with CaptureQueriesContext(connection) as revoking:
            services.revoke_excuse(excuse, by=campus.user, at=campus.now)
        return len(approving), len(revoking)

    cost(20, 23)  # which other records whoever decides has is asked once
    assert cost(30, 33) == cost(40, 340)
    assert ClassSession.objects.filter(version=3).count() == 306


@pytest.mark.django_db(transaction=True)
def test_an_excuse_and_a_mark_at_the_same_moment_are_both_kept(campus):
    session = campus.sessions[1]
    excuse = asked(campus)

    answers = at_once(
        lambda: step(campus, excuse, "approve").status_code,
        lambda: put(campus.teacher, session, default="absent").status_code,
    )

    assert answers[0] == 200
    assert answers[1] in (200, 412)
    assert names(campus)[1] == "excused"
    step(campus, excuse, "revoke")
    assert names(campus)[1] == ("absent" if answers[1] == 200 else None)


@pytest.mark.checklist(13)
@pytest.mark.django_db(transaction=True)
def test_who_revokes_and_who_counts_hold_summaries_in_one_order(campus, monkeypatch):
    first = campus.enrollment
    second = EnrollmentFactory(section__term=first.section.term, student=first.student)
    assert first.pk < second.pk
    later = ClassSessionFactory(section=second.section, starts_at=campus.sessions[1].starts_at)
    # Of the later enrolment there is a mark beneath, of the earlier one nothing.
    AttendanceRecordFactory(session=later, enrollment=second, code=campus.codes.absent)
    excuse = approved(campus)
    reached, go = threading.Event(), threading.Event()
    forget = sheets.forget

    def slowly(*args):
        reached.set()
        go.wait(PATIENCE)
        return forget(*args)

    monkeypatch.setattr(sheets, "forget", slowly)
    with ThreadPoolExecutor(2) as pool:
        revoking = pool.submit(outcome_of, lambda: step(campus, excuse, "revoke").status_code)
        reached.wait(PATIENCE)
        counting = pool.submit(
            outcome_of, lambda: list(services.verify_summaries(at=timezone.now(), term=first.section.term))
        )
        wait_until_somebody_waits()
        go.set()

        assert (revoking.result(PATIENCE), counting.result(PATIENCE)) == (200, [])


def test_whoever_takes_a_section_marks_nobody_in_it_though_they_teach_it(campus):
    other = EnrollmentFactory(section=campus.enrollment.section)
    EnrollmentFactory(section=campus.enrollment.section, student__person=campus.teacher_user.person)

    answer = put(campus.teacher, campus.sessions[0], {"enrollment": str(other.pk), "code": "present"})

    assert code_of(answer) == (403, "self_marking")
    assert not AttendanceRecord.objects.exists()


def test_minutes_stand_beside_codes_that_take_them_and_decide_which_is_meant(campus):
    session, pk = campus.sessions[0], str(campus.enrollment.pk)
    AttendanceCodeFactory(code="very_late", takes_minutes=True, late_from=20, weight="0.500")

    refused = put(campus.teacher, session, {"enrollment": pk, "code": "absent", "minutes_late": 3})
    assert refused.status_code == 400
    assert [(row["code"], row["field"]) for row in refused.json()["errors"]] == [
        ("lateness_not_applicable", "marks.0.minutes_late")
    ]
    for minutes, code in ((19, "late"), (20, "very_late")):
        put(campus.teacher, session, {"enrollment": pk, "code": "late", "minutes_late": minutes})
        assert marks(campus)[0][:2] == (code, minutes)
    twice = campus.post(
        "/api/v1/attendance/codes/", {"code": "x", "label": "X", "weight": "1", "late_from": 5}, format="json"
    )
    assert twice.json()["errors"][0]["code"] == "late_from_without_minutes"
