"""Substitutions over HTTP: asked for, answered by whoever is asked, with the teacher free and the substitute wanted."""

from datetime import date, time, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import Role, ScopeKind
from attendance import services
from attendance.models import ClassSession, Substitution, SubstitutionEvent
from audit.models import Change
from core.models import OutboxEvent
from faculty.models import FacultyReservation
from tests.attendance.conftest import taught
from tests.attendance.factories import CheckInEventFactory, SubstitutionFactory, usual_codes
from tests.courses.factories import SectionInstructorFactory
from tests.departments.factories import AcademicYearFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.faculty.factories import FacultyFactory

pytestmark = pytest.mark.django_db
LIST = "/api/v1/attendance/substitutions/"
SESSIONS = "/api/v1/attendance/sessions/"
MINUTES = timedelta(minutes=1)


@pytest.fixture
def campus(side, user_with, client_for, registrar_client):
    """Mechanics on Mondays at nine, in the coming weeks; a substitute who is free, and one who teaches biology then."""
    here = side
    here.now = timezone.now()
    today = timezone.localdate()
    first = today + timedelta(days=14 - today.weekday())
    dates = DateRange(first, first + timedelta(days=15), "[)")
    side.term.academic_year = AcademicYearFactory(starts_on=date.min, ends_on=date.max)
    side.term.starts_on, side.term.ends_on = today - timedelta(days=30), today + timedelta(days=120)
    side.term.save()
    here.mechanics = taught(side, "MEC", dates=dates, room=None, starts_at=time(9), ends_at=time(10, 30))
    here.biology = taught(side, "BIO", dates=dates, room=None, starts_at=time(10), ends_at=time(11))
    services.generate_sessions(at=here.now)
    here.section = here.mechanics.section
    here.sessions = list(ClassSession.objects.filter(section=here.section).order_by("starts_at"))
    here.session = here.sessions[0]
    here.faculty, here.busy, here.free = here.mechanics.faculty, here.biology.faculty, FacultyFactory()
    here.users = {each.pk: user_with(Role.FACULTY, "self", person=each.person) for each in members(here)}
    here.teacher, here.busy_one, here.substitute = (client_for(here.users[each.pk]) for each in members(here))
    here.head = client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, here.section.course.department_id))
    here.registrar = registrar_client
    here.user_with, here.client_for = user_with, client_for
    return here


def members(here):
    return here.faculty, here.busy, here.free


def propose(client, campus, **values):
    usual = {"session": str(campus.session.pk), "substitute": str(campus.free.pk), "reason": "A conference"}
    return client.post(LIST, usual | values, format="json")


def proposed(campus, client=None, **values):
    answer = propose(client or campus.teacher, campus, **values)
    assert answer.status_code == 201, answer.json()
    return answer.json()["data"]["id"]


def step(client, substitution, verb, **given):
    return client.post(f"{LIST}{substitution}/{verb}/", given, format="json")


def accepted(campus, **values):
    substitution = proposed(campus, **values)
    answer = step(campus.substitute, substitution, "accept")
    assert answer.status_code == 200, answer.json()
    campus.session.refresh_from_db()
    return substitution


def codes(answer):
    return answer.status_code, sorted(error["code"] for error in answer.json()["errors"])


def wanted(session):
    """Return who is wanted at a class."""
    held = FacultyReservation.objects.filter(source=session.gathering, cancelled_at=None)
    return set(held.values_list("faculty", flat=True))


def events(name):
    return OutboxEvent.objects.filter(name=f"attendance.substitution.{name}")


def begin(session, *, by):
    """Let a class begin in some time from now."""
    starts_at = timezone.now() + by
    services.reschedule_session(
        session, starts_at=starts_at, ends_at=starts_at + 90 * MINUTES, by=None, at=timezone.now()
    )


def begun(session):
    """Let a class begin now, as if nobody had moved it."""
    now = timezone.now()
    ClassSession.objects.filter(pk=session.pk).update(starts_at=now, ends_at=now + 90 * MINUTES)


def test_a_teacher_asks_and_nothing_changes_until_somebody_accepts(campus):
    answer = propose(campus.teacher, campus)

    assert answer.status_code == 201, answer.json()
    row = answer.json()["data"]
    assert (row["status"], row["reason"], row["session"]["id"]) == ("proposed", "A conference", str(campus.session.pk))
    assert (row["instructor"]["id"], row["substitute"]["id"]) == (str(campus.faculty.pk), str(campus.free.pk))
    assert wanted(campus.session) == {campus.faculty.pk}
    payload = events("proposed").get().payload
    assert payload["substitute_id"] == str(campus.free.pk)
    assert "reason" not in payload
    assert Change.objects.filter(row_id=row["id"]).exists()


def test_who_accepts_teaches_the_class_and_its_teacher_is_free(campus):
    substitution = proposed(campus)
    before = campus.session.version

    answer = step(campus.substitute, substitution, "accept", reason="Gladly")

    assert (answer.status_code, answer.json()["data"]["status"]) == (200, "accepted")
    assert wanted(campus.session) == {campus.free.pk}
    assert [wanted(each) for each in campus.sessions[1:]] == [{campus.faculty.pk}] * 2
    campus.session.refresh_from_db()
    assert (campus.session.substitute, campus.session.version) == (campus.free, before + 1)
    shown = campus.head.get(f"{SESSIONS}{campus.session.pk}/").json()["data"]["substitute"]
    assert (shown["id"], shown["last_name"]) == (str(campus.free.pk), campus.free.person.last_name)
    assert events("accepted").count() == 1
    history = campus.teacher.get(f"{LIST}{substitution}/history/").json()["data"]
    assert [(each["to_status"], each["reason"]) for each in history] == [
        ("accepted", "Gladly"), ("proposed", "A conference"),
    ]  # fmt: skip


def test_who_has_another_class_then_is_refused_with_both_by_name_and_nothing_changes(campus):
    substitution = proposed(campus, substitute=str(campus.busy.pk))

    answer = step(campus.busy_one, substitution, "accept")

    assert codes(answer) == (409, ["person_conflict"])
    (error,) = answer.json()["errors"]
    assert (error["field"], error["meta"]["what"]) == ("substitute", "MEC-01")
    assert [other["what"] for other in error["meta"]["reservations"]] == ["BIO-01"]
    assert wanted(campus.session) == {campus.faculty.pk}
    campus.session.refresh_from_db()
    assert campus.session.substitute is None
    assert Substitution.objects.get().status == "proposed"
    assert SubstitutionEvent.objects.count() == 1
    assert not events("accepted").exists()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"status": "cancelled"}, ["session_cancelled"]),
        ({"marking": "locked"}, ["session_locked"]),
        ({"starts_at": timezone.now(), "ends_at": timezone.now() + 90 * MINUTES}, ["session_begun"]),
    ],
)
def test_nobody_is_asked_about_a_session_that_is_off_or_over_or_final(campus, change, expected):
    ClassSession.objects.filter(pk=campus.session.pk).update(**change)

    assert codes(propose(campus.teacher, campus)) == (409, expected)
    assert not Substitution.objects.exists()


def test_everything_that_is_wrong_is_said_at_once(campus):
    ClassSession.objects.filter(pk=campus.session.pk).update(status="cancelled")
    campus.free.status = "on_leave"
    campus.free.save()
    EnrollmentFactory(section=campus.section, student__person=campus.free.person)

    assert codes(propose(campus.teacher, campus)) == (
        409, ["session_cancelled", "substitute_enrolled", "substitute_not_active"],
    )  # fmt: skip


def test_nobody_substitutes_for_themselves_or_beside_themselves(campus):
    colleague = FacultyFactory()
    SectionInstructorFactory(section=campus.section, faculty=colleague, role="co", share=0)

    for member in (campus.faculty, colleague):
        assert codes(propose(campus.teacher, campus, substitute=str(member.pk))) == (409, ["substitute_teaches"])


def test_an_assistant_of_the_section_may_substitute(campus):
    SectionInstructorFactory(section=campus.section, faculty=campus.free, role="ta", share=0)

    accepted(campus)

    assert wanted(campus.session) == {campus.free.pk}


def test_who_has_retired_is_not_found_and_who_is_on_leave_or_suspended_is_refused(campus):
    for status, expected in (("on_leave", (409, ["substitute_not_active"])), ("retired", (400, ["does_not_exist"]))):
        campus.free.status = status
        campus.free.save()
        assert codes(propose(campus.teacher, campus)) == expected


def test_who_sits_in_the_section_teaches_none_of_its_classes(campus):
    EnrollmentFactory(section=campus.section, student__person=campus.free.person)

    assert codes(propose(campus.teacher, campus)) == (409, ["substitute_enrolled"])


def test_what_has_become_of_the_substitute_meanwhile_counts_when_they_accept(campus):
    substitution = proposed(campus)
    campus.free.status = "suspended"
    campus.free.save()
    EnrollmentFactory(section=campus.section, student__person=campus.free.person)
    campus.section.section_instructors.update(faculty=campus.busy)

    assert codes(step(campus.substitute, substitution, "accept")) == (
        409, ["instructor_not_teaching", "substitute_enrolled", "substitute_not_active"],
    )  # fmt: skip
    assert Substitution.objects.get().status == "proposed"


def test_one_is_asked_at_a_time_and_nobody_once_somebody_has_accepted(campus):
    other = FacultyFactory()
    accepting = proposed(campus)

    assert codes(propose(campus.teacher, campus, substitute=str(other.pk))) == (409, ["substitution_open"])
    step(campus.substitute, accepting, "accept")
    assert codes(propose(campus.teacher, campus, substitute=str(other.pk))) == (409, ["session_substituted"])


def test_those_in_charge_ask_for_a_teacher_and_strangers_for_nobody(campus):
    EnrollmentFactory(section=campus.section, student__person=campus.free.person)

    # Whether somebody sits in the section is nothing that a stranger is told.
    assert codes(propose(campus.busy_one, campus)) == (403, ["out_of_scope"])
    assert codes(propose(campus.busy_one, campus, instructor=str(campus.faculty.pk))) == (403, ["out_of_scope"])
    own = codes(propose(campus.busy_one, campus, instructor=str(campus.busy.pk)))
    assert own == (409, ["instructor_not_teaching"])
    assert not Substitution.objects.exists()
    for client, session in ((campus.head, campus.sessions[1]), (campus.registrar, campus.sessions[2])):
        row = propose(client, campus, session=str(session.pk), substitute=str(FacultyFactory().pk)).json()["data"]
        assert row["instructor"]["id"] == str(campus.faculty.pk)


def test_teachers_ask_for_themselves_and_not_for_one_another(campus):
    colleague = FacultyFactory()
    SectionInstructorFactory(section=campus.section, faculty=colleague, role="co", share=0)
    client = campus.client_for(campus.user_with(Role.FACULTY, "self", person=colleague.person))

    assert codes(propose(client, campus, instructor=str(campus.faculty.pk))) == (403, ["out_of_scope"])
    assert propose(client, campus).json()["data"]["instructor"]["id"] == str(colleague.pk)


def test_a_section_that_nobody_teaches_has_nobody_to_replace(campus):
    campus.section.section_instructors.all().delete()

    assert codes(propose(campus.registrar, campus)) == (409, ["session_without_teacher"])


def test_only_who_is_asked_answers(campus):
    substitution = proposed(campus)

    for answer in ("accept", "decline"):
        assert codes(step(campus.teacher, substitution, answer, reason="So")) == (403, ["not_the_substitute"])
        assert codes(step(campus.head, substitution, answer, reason="So")) == (403, ["permission_denied"])
        assert step(campus.busy_one, substitution, answer, reason="So").status_code == 404
    assert Substitution.objects.get().status == "proposed"


def test_who_declines_says_why_and_somebody_else_may_be_asked(campus):
    substitution = proposed(campus)

    assert codes(step(campus.substitute, substitution, "decline")) == (400, ["required"])
    answer = step(campus.substitute, substitution, "decline", reason="On a field trip")

    assert answer.json()["data"]["status"] == "declined"
    assert events("declined").count() == 1
    assert wanted(campus.session) == {campus.faculty.pk}
    assert codes(step(campus.substitute, substitution, "accept")) == (409, ["substitution_transition"])
    proposed(campus, substitute=str(campus.busy.pk))


def test_who_asked_and_those_in_charge_withdraw_and_nobody_else_does(campus):
    substitution = proposed(campus)

    assert codes(step(campus.substitute, substitution, "withdraw")) == (403, ["out_of_scope"])
    assert step(campus.busy_one, substitution, "withdraw").status_code == 404
    assert step(campus.teacher, substitution, "withdraw").json()["data"]["status"] == "withdrawn"
    assert step(campus.head, proposed(campus), "withdraw").json()["data"]["status"] == "withdrawn"
    of_the_head = proposed(campus, campus.head)
    assert codes(step(campus.teacher, of_the_head, "withdraw")) == (403, ["out_of_scope"])
    assert events("withdrawn").count() == 2


@pytest.mark.parametrize(
    ("verb", "who"),
    [("accept", "substitute"), ("decline", "substitute"), ("withdraw", "teacher"), ("revoke", "teacher")],
)
def test_a_step_that_was_taken_changes_nothing_when_it_is_taken_again(campus, verb, who):
    substitution = accepted(campus) if verb == "revoke" else proposed(campus)
    client = getattr(campus, who)
    first = step(client, substitution, verb, reason="So")
    count = SubstitutionEvent.objects.count()

    again = step(client, substitution, verb, reason="So")

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json()["data"] == first.json()["data"]
    assert SubstitutionEvent.objects.count() == count


def test_a_proposal_is_over_when_the_class_begins_before_any_chore_and_the_chore_says_so_once(campus):
    substitution = proposed(campus)
    other = proposed(campus, session=str(campus.sessions[1].pk))
    lasting = proposed(campus, session=str(campus.sessions[2].pk))
    begun(campus.session)
    services.cancel_session(campus.sessions[1], by=None, at=timezone.now())

    for client, verb in ((campus.substitute, "accept"), (campus.substitute, "decline"), (campus.teacher, "withdraw")):
        assert codes(step(client, substitution, verb, reason="So")) == (409, ["substitution_expired"])
    assert codes(step(campus.substitute, other, "accept")) == (409, ["session_cancelled"])
    call_command("expire_substitutions")
    call_command("expire_substitutions")

    statuses = {str(row.pk): row.status for row in Substitution.objects.all()}
    assert statuses == {substitution: "expired", other: "expired", lasting: "proposed"}
    assert events("expired").count() == 2
    assert codes(step(campus.substitute, substitution, "accept")) == (409, ["substitution_expired"])


def test_to_revoke_brings_the_teacher_back(campus):
    substitution = accepted(campus)

    assert codes(step(campus.teacher, substitution, "revoke")) == (400, ["required"])
    answer = step(campus.teacher, substitution, "revoke", reason="The conference is off")

    assert answer.json()["data"]["status"] == "revoked"
    assert wanted(campus.session) == {campus.faculty.pk}
    campus.session.refresh_from_db()
    assert campus.session.substitute is None
    assert events("revoked").count() == 1
    assert step(campus.substitute, substitution, "accept").status_code == 409
    accepted(campus)


def test_a_teacher_who_is_wanted_elsewhere_by_now_is_not_brought_back(campus):
    substitution = accepted(campus)
    SectionInstructorFactory(section=campus.biology.section, faculty=campus.faculty, role="co", share=0)
    services.generate_sessions(at=timezone.now())

    answer = step(campus.head, substitution, "revoke", reason="The conference is off")

    assert codes(answer) == (409, ["person_conflict"])
    (error,) = answer.json()["errors"]
    assert error["meta"]["what"] == "MEC-01"
    assert [other["what"] for other in error["meta"]["reservations"]] == ["BIO-01"]
    assert wanted(campus.session) == {campus.free.pk}
    campus.session.refresh_from_db()
    assert campus.session.substitute == campus.free


def test_what_has_begun_is_revoked_no_more_and_the_substitute_does_not_revoke(campus):
    substitution = accepted(campus)

    assert codes(step(campus.substitute, substitution, "revoke", reason="Ill")) == (403, ["out_of_scope"])
    begun(campus.session)
    assert codes(step(campus.teacher, substitution, "revoke", reason="Back")) == (409, ["session_begun"])
    assert wanted(campus.session) == {campus.free.pk}


def test_who_substitutes_marks_that_class_and_no_other_and_the_teacher_goes_on_to(campus):
    usual_codes()
    enrollment = EnrollmentFactory(section=campus.section)
    substitution = accepted(campus)
    begin(campus.session, by=10 * MINUTES)
    begin(campus.sessions[1], by=3 * 60 * MINUTES)
    url = f"{SESSIONS}{campus.session.pk}/"
    body = {"marks": [{"enrollment": str(enrollment.pk), "code": "present"}]}

    def put(client, code="present"):
        body["marks"][0]["code"] = code
        etag = client.get(f"{url}roster/")["ETag"]
        return client.put(f"{url}roster/", body, format="json", headers={"If-Match": etag})

    marked = put(campus.substitute)
    assert marked.status_code == 200, marked.json()
    assert campus.substitute.post(f"{url}check-in/open/", {}, format="json").status_code == 200
    assert campus.substitute.get(f"{url}check-in/token/").status_code == 200
    tried = CheckInEventFactory(session=campus.session, student=enrollment.student)
    CheckInEventFactory(session=campus.sessions[1], student=enrollment.student, device_hash=b"another")
    shown = campus.substitute.get("/api/v1/attendance/check-ins/").json()["data"]
    assert [row["id"] for row in shown] == [str(tried.pk)]
    entries = campus.teacher.get(f"{url}roster/").json()["data"]["entries"]
    assert [entry["code"] for entry in entries] == ["present"]
    assert put(campus.teacher, "late").status_code == 200
    other = f"{SESSIONS}{campus.sessions[1].pk}/"
    assert campus.substitute.get(f"{other}roster/").status_code == 404
    assert campus.substitute.post(f"{other}check-in/open/", {}, format="json").status_code == 404
    bulk = {"code": "present", "students": [str(enrollment.student_id)], "sessions": [str(campus.sessions[1].pk)]}
    assert codes(campus.substitute.post(f"{SESSIONS}bulk-mark/", bulk, format="json")) == (400, ["does_not_exist"])
    assert step(campus.teacher, substitution, "revoke", reason="Back").status_code == 200
    assert campus.substitute.get(f"{url}roster/").status_code == 404


def test_who_was_asked_and_has_not_accepted_sees_no_roster(campus):
    proposed(campus)

    assert campus.substitute.get(f"{SESSIONS}{campus.session.pk}/roster/").status_code == 404


def test_everybody_sees_their_own_and_those_in_charge_those_of_their_sections(campus):
    own = {proposed(campus), proposed(campus, session=str(campus.sessions[1].pk))}
    elsewhere = str(SubstitutionFactory().pk)

    def shown(client, **filters):
        answer = client.get(LIST, filters)
        assert answer.status_code == 200, answer.json()
        return {row["id"] for row in answer.json()["data"]}

    assert shown(campus.teacher) == shown(campus.substitute) == shown(campus.head) == own
    assert shown(campus.busy_one) == set()
    assert shown(campus.registrar) == own | {elsewhere}
    student = campus.client_for(campus.user_with(Role.STUDENT, "self"))
    assert student.get(LIST).status_code == 403
    assert campus.busy_one.get(f"{LIST}{elsewhere}/").status_code == 404
    assert campus.busy_one.get(f"{LIST}{elsewhere}/history/").status_code == 404


def test_proposals_are_found_by_status_session_section_people_and_days(campus):
    first = proposed(campus)
    second = proposed(campus, session=str(campus.sessions[1].pk))
    step(campus.substitute, first, "decline", reason="No")
    SubstitutionFactory()
    day = campus.session.local_date

    def found(**filters):
        return {row["id"] for row in campus.registrar.get(LIST, filters).json()["data"]}

    assert found(section=campus.section.pk) == found(substitute=campus.free.pk) == {first, second}
    assert found(instructor=campus.faculty.pk) == {first, second}
    assert found(proposed_by=campus.users[campus.faculty.pk].pk) == {first, second}
    assert found(session=campus.session.pk) == {first}
    assert found(status="declined") == {first}
    assert found(status="declined", section=campus.section.pk, date_from=day + timedelta(days=1)) == set()
    assert found(section=campus.section.pk, date_from=day, date_to=day) == {first}
    assert found(section=campus.section.pk, date_from=day + timedelta(days=1)) == {second}
    rows = campus.registrar.get(LIST, {"ordering": "-starts_at", "section": campus.section.pk}).json()["data"]
    assert [row["id"] for row in rows] == [second, first]
    assert campus.registrar.get(LIST, {"teacher": "x"}).status_code == 400


def test_a_page_costs_as_many_queries_for_thirty_as_for_one(campus):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            assert campus.registrar.get(LIST, {"page_size": 50}).status_code == 200
        return len(asked)

    SubstitutionFactory()
    queries()
    one = queries()
    SubstitutionFactory.create_batch(30)

    assert queries() <= one


def test_to_answer_asks_a_bounded_number_of_times(campus, django_assert_max_num_queries):
    substitution = proposed(campus)
    EnrollmentFactory.create_batch(5, section=campus.section)

    with django_assert_max_num_queries(45):
        assert step(campus.substitute, substitution, "accept").status_code == 200
    with django_assert_max_num_queries(45):
        assert step(campus.teacher, substitution, "revoke", reason="Back").status_code == 200


def test_who_answers_what_has_moved_since_reads_again(campus):
    substitution = proposed(campus)
    read = campus.substitute.get(f"{LIST}{substitution}/")["ETag"]
    begin(campus.session, by=timedelta(days=9))

    url = f"{LIST}{substitution}/accept/"
    assert campus.substitute.post(url, {}, format="json", headers={"If-Match": read}).status_code == 412
    read = campus.substitute.get(f"{LIST}{substitution}/")["ETag"]
    assert campus.substitute.post(url, {}, format="json", headers={"If-Match": read}).status_code == 200
