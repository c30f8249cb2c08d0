"""Admission to the examinations of a whole term: decided in the background, some sections at a time, and looked at."""

import time
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import RoleAssignment
from accounts.roles import Role, ScopeKind
from attendance import services
from attendance.models import DecisionRun, EligibilityDecision
from attendance.services import decision_runs
from attendance.tasks import decide_term
from core.models import OutboxEvent
from core.relay import Relay
from tests.accounts.factories import RoleAssignmentFactory
from tests.attendance.factories import AttendanceRecordFactory, ClassSessionFactory, usual_codes
from tests.attendance.test_standings import WEEK, term_of
from tests.courses.factories import CourseFactory, SectionFactory
from tests.departments.factories import DepartmentFactory, TermFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db
RUNS = "/api/v1/attendance/decision-runs/"


@pytest.fixture
def term():
    """Two sections of a college, one of another department, and one of another term."""
    college = DepartmentFactory()
    course = CourseFactory(department=DepartmentFactory(parent=college))
    term = TermFactory(state="in_progress")
    side = SimpleNamespace(term=term, college=college, course=course)
    side.sections = [SectionFactory(term=term, course=course), SectionFactory(term=term, course__department=college)]
    side.elsewhere = SectionFactory(term=term)
    side.rows = [EnrollmentFactory(section=section) for section in (*side.sections, side.elsewhere) for _ in range(2)]
    for row, marks in zip(side.rows, ("ppp", "ppa", "paa", "ppp", "ppa", "ppa"), strict=True):
        term_of(row, marks)
    term_of(EnrollmentFactory(), "ppp")
    return side


def asked(client, **body):
    answer = client.post(RUNS, {name: getattr(value, "pk", value) for name, value in body.items()}, format="json")
    assert answer.status_code == 201, answer.json()
    return answer.json()["data"]


def carried_out(client, **body):
    """Ask for a run, let a worker take it to its end, and return what the API says of it."""
    run = asked(client, **body)
    decide_term(run["id"])
    return client.get(f"{RUNS}{run['id']}/").json()["data"]


def counts(run):
    return {name: run[name] for name in ("eligible", "short", "condoned", "not_eligible", "made", "unchanged")}


def test_a_whole_term_is_decided_about_and_a_second_time_nothing_is_new(term, registrar_client):
    run = asked(registrar_client, term=term.term)
    assert (run["state"], run["sections_total"], run["sections_done"]) == ("waiting", 3, 0)
    decide_term(run["id"])

    done = registrar_client.get(f"{RUNS}{run['id']}/").json()["data"]
    assert (done["state"], done["sections_done"], done["failure"]) == ("done", 3, "")
    assert counts(done) == {
        "eligible": 2, "short": 3, "condoned": 0, "not_eligible": 1, "made": 6, "unchanged": 0
    }  # fmt: skip
    assert set(EligibilityDecision.objects.values_list("enrollment", flat=True)) == {row.pk for row in term.rows}
    again = carried_out(registrar_client, term=term.term)
    assert (again["made"], again["unchanged"], again["short"]) == (0, 6, 3)
    assert EligibilityDecision.objects.count() == 6
    assert EligibilityDecision.objects.filter(decided_by__isnull=True).count() == 0
    told = OutboxEvent.objects.filter(name="attendance.term.decided").order_by("seq")
    assert [event.payload["made"] for event in told] == [6, 0]
    assert [row["id"] for row in registrar_client.get(f"{RUNS}?state=done&term={term.term.pk}").json()["data"]] == [
        again["id"], done["id"],
    ]  # fmt: skip


def test_a_worker_is_woken_by_what_was_asked_for(term, registrar_client, monkeypatch):
    woken = []
    monkeypatch.setattr("attendance.subscribers.current_app.send_task", lambda name, args: woken.append((name, args)))

    run = asked(registrar_client, term=term.term)
    Relay().drain()

    assert woken == [("attendance.tasks.decide_term", [run["id"]])]


def test_a_dry_run_counts_what_would_be_decided_and_decides_nothing(term, registrar_client):
    done = carried_out(registrar_client, term=term.term, is_dry_run=True)

    assert (done["state"], done["made"], done["short"]) == ("done", 6, 3)
    assert not EligibilityDecision.objects.exists()
    assert not OutboxEvent.objects.filter(name="attendance.eligibility.denied").exists()


def test_a_department_with_all_below_it_or_a_course_is_decided_about_alone(term, registrar_client):
    by_course = carried_out(registrar_client, term=term.term, course=term.course)
    by_department = carried_out(registrar_client, term=term.term, department=term.college)

    assert (by_course["sections_total"], by_course["made"]) == (1, 2)
    assert (by_department["sections_total"], by_department["made"], by_department["unchanged"]) == (2, 2, 2)


@pytest.mark.parametrize("batch", [1, 3])
def test_it_goes_on_where_it_stopped_and_decides_about_everybody_once(term, registrar_client, monkeypatch, batch):
    monkeypatch.setattr(decision_runs, "BATCH", batch)
    pk = asked(registrar_client, term=term.term)["id"]

    assert services.carry_on(pk, until=time.monotonic())
    halfway = registrar_client.get(f"{RUNS}{pk}/").json()["data"]
    assert (halfway["state"], halfway["sections_done"], halfway["made"]) == ("running", 1, 2)
    decide_term(pk)

    done = registrar_client.get(f"{RUNS}{pk}/").json()["data"]
    assert (done["state"], done["sections_done"], done["made"], done["unchanged"]) == ("done", 3, 6, 0)
    decide_term(pk)  # delivered twice
    assert registrar_client.get(f"{RUNS}{pk}/").json()["data"] == done


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_one_run_take_turns(term, registrar_client, monkeypatch):
    monkeypatch.setattr(decision_runs, "BATCH", 1)
    pk = asked(registrar_client, term=term.term)["id"]

    at_once(lambda: decide_term(pk), lambda: decide_term(pk))

    done = DecisionRun.objects.get(pk=pk)
    assert (done.state, done.sections_done, done.made, done.unchanged) == ("done", 3, 6, 0)


def test_an_office_decides_within_its_unit_for_as_long_as_it_holds_the_role(term, user_with, client_for):
    controller = user_with(Role.EXAM_CONTROLLER, ScopeKind.DEPARTMENT, term.college.pk)
    office = client_for(controller)

    for named in ({}, {"course": CourseFactory()}, {"department": term.elsewhere.course.department}):
        body = {name: str(row.pk) for name, row in {"term": term.term, **named}.items()}
        answer = office.post(RUNS, body, format="json")
        expected = (400, "no_sections") if "course" in named else (403, "out_of_scope")
        assert (answer.status_code, answer.json()["code"]) == expected
    own = asked(office, term=term.term, department=term.college)
    RoleAssignment.objects.filter(user=controller).delete()
    decide_term(own["id"])

    run = DecisionRun.objects.get(pk=own["id"])
    assert (run.state, run.failure, run.made) == ("failed", "out_of_scope", 0)
    assert not EligibilityDecision.objects.exists()


def test_nobody_decides_in_what_they_take_and_others_see_only_their_own_runs(term, user_with, client_for):
    taken = term.rows[0]
    ada = user_with(Role.STUDENT, "self", person=taken.student.person)
    RoleAssignmentFactory(user=ada, role=Role.EXAM_CONTROLLER, scope_kind="institution")
    other = client_for(user_with(Role.EXAM_CONTROLLER, ScopeKind.DEPARTMENT, term.college.pk))

    done = carried_out(client_for(ada), term=term.term)

    assert (done["state"], done["sections_left_out"], done["sections_total"], done["made"]) == ("done", 1, 2, 4)
    assert not EligibilityDecision.objects.filter(section=taken.section).exists()
    assert other.get(RUNS).json()["data"] == []
    assert other.get(f"{RUNS}{done['id']}/").status_code == 404


def test_what_means_nothing_is_not_run(term, registrar_client):
    for body, status, code in (
        ({}, 400, "required"),
        ({"term": str(term.sections[0].pk)}, 400, "does_not_exist"),
        ({"term": str(TermFactory().pk)}, 400, "no_sections"),
        ({"term": str(term.term.pk), "course": str(term.course.pk), "department": str(term.college.pk)}, 400, None),
    ):
        answer = registrar_client.post(RUNS, body, format="json")
        assert answer.status_code in (status, 409)
        assert code is None or answer.json()["errors"][0]["code"] == code
    assert not DecisionRun.objects.exists()


def test_what_breaks_off_says_so(term, registrar_client, monkeypatch):
    def breaks(*args, **values):
        raise RuntimeError("the power is off")

    run = asked(registrar_client, term=term.term)
    monkeypatch.setattr(decision_runs, "decide_eligibility", breaks)
    with pytest.raises(RuntimeError):
        decide_term(run["id"])

    shown = registrar_client.get(f"{RUNS}{run['id']}/").json()["data"]
    assert (shown["state"], shown["failure"], shown["finished_at"] is None) == ("failed", "unexpected", False)


def test_a_step_costs_as_many_statements_for_many_sections_as_for_one(registrar_client):
    def cost(sections, students):
        term = TermFactory(state="in_progress")
        for _ in range(sections):
            section = SectionFactory(term=term, capacity=students)
            session = ClassSessionFactory(section=section, starts_at=timezone.now() - WEEK)
            for _ in range(students):
                AttendanceRecordFactory(
                    session=session, enrollment=EnrollmentFactory(section=section), code=usual_codes().absent
                )
        pk = asked(registrar_client, term=term)["id"]
        with CaptureQueriesContext(connection) as captured:
            assert services.decide_next(pk, at=timezone.now())
        assert DecisionRun.objects.get(pk=pk).made == sections * students
        return len(captured)

    few, many = cost(1, 1), cost(6, 10)
    assert few == many
    assert many <= 22
