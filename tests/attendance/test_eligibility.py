"""Who may sit an examination by attendance: decided of exact numbers, condoned by another, and never overwritten."""

import json
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import Role, ScopeKind
from attendance import services
from attendance.models import AttendanceRecord, EligibilityDecision
from audit.models import Disclosure
from core.models import OutboxEvent
from tests.accounts.factories import RoleAssignmentFactory
from tests.attendance.factories import (
    AttendancePolicyFactory,
    AttendanceRecordFactory,
    ClassSessionFactory,
    EligibilityDecisionFactory,
    usual_codes,
)
from tests.attendance.test_standings import NOW, WEEK, held, marked, term_of
from tests.attendance.test_summaries import nodes_of
from tests.courses.factories import CourseFactory, SectionFactory, SectionInstructorFactory
from tests.departments.factories import DepartmentFactory, TermFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db
LIST = "/api/v1/attendance/decisions/"
D = Decimal


def decide(*sections, by=None, at=NOW):
    return services.decide_eligibility([section.pk for section in sections], by=by, at=at)


def current(enrollment):
    return EligibilityDecision.objects.current().get(enrollment=enrollment)


def outcomes(enrollment):
    """Return the outcomes of an enrolment in the order in which they came to be."""
    return list(enrollment.eligibility_decisions.order_by("pk").values_list("outcome", flat=True))


def condone(decision, **more):
    return services.condone_shortage(decision, by=None, at=NOW, **{"reason": "Was in hospital", **more})


def asked_for(enrollment, threshold, floor, **values):
    return AttendancePolicyFactory(
        section=enrollment.section, threshold=D(threshold), condonation_floor=D(floor), **values
    )


def announced(name):
    return list(OutboxEvent.objects.filter(name=name).order_by("pk").values_list("payload", flat=True))


@pytest.fixture
def student():
    return EnrollmentFactory()


def further(student, marks):
    for mark in marks:
        marked(ClassSessionFactory(section=student.section, starts_at=NOW - WEEK), student, mark)


def attend(student, marks):
    term_of(student, marks)
    decide(student.section)
    return current(student)


@pytest.mark.parametrize(
    ("marks", "rule", "rounding", "outcome"),
    [
        ("pppa", "75 65", "exact", "eligible"),  # exactly what is asked for
        ("ppa", "66.67 60", "exact", "short"),  # two thirds are less than 66.67
        ("ppa", "66.66 60", "exact", "eligible"),
        ("ppa", "66.67 60", "hundredth", "eligible"),
        ("ppa", "67 60", "whole", "eligible"),
        ("ppa", "75 66.67", "exact", "not_eligible"),
        ("ppa", "75 66.66", "exact", "short"),
        ("ppa", "75 66.67", "hundredth", "short"),
        ("ppa", "75 66.68", "hundredth", "not_eligible"),
        ("ppa", "75 67", "whole", "short"),
        ("ppa", "75 68", "whole", "not_eligible"),
        ("ppaa", "75 50", "exact", "short"),  # exactly the floor
        ("paaa", "75 25.01", "exact", "not_eligible"),
        ("aaa", "0 0", "exact", "eligible"),
        ("aaa", "1 0", "exact", "short"),
        ("eee", "100 100", "exact", "eligible"),  # nothing counts
    ],
)
def test_the_outcome_is_exact_at_the_threshold_and_at_the_floor(student, marks, rule, rounding, outcome):
    threshold, floor = rule.split()
    asked_for(student, threshold, floor, rounding=rounding)

    assert attend(student, marks).outcome == outcome


def test_a_decision_keeps_what_it_was_made_of_and_by_whom(student, registrar):
    policy = asked_for(student, "80", "60")
    term_of(student, "ppae.")
    held(student.section, starts_at=NOW + WEEK)

    found = decide(student.section, by=registrar)

    kept = current(student)
    assert (kept.attended, kept.counted, kept.exempt, kept.unmarked) == (2, 3, 1, 1)
    assert (kept.percent, kept.threshold, kept.condonation_floor) == (D("66.67"), 80, 60)
    assert (kept.policy, kept.policy_version, kept.basis, kept.rounding) == (policy, 1, "per_course", "exact")
    assert (kept.decided_by, kept.decided_at, kept.section, kept.term) == (
        registrar, NOW, student.section, student.term,
    )  # fmt: skip
    assert found == services.Decided(
        outcomes={"eligible": 0, "short": 1, "condoned": 0, "not_eligible": 0}, made=1, unchanged=0, unmarked=1
    )


def test_classes_that_nobody_marked_admit_nobody_and_keep_nobody_out(student):
    kept = attend(student, "pp......")

    assert (kept.outcome, kept.counted, kept.unmarked) == ("eligible", 2, 6)


def test_of_the_same_numbers_nothing_new_is_decided_and_of_others_a_later_one_supersedes(student):
    first = attend(student, "ppa")

    again = decide(student.section, at=NOW + WEEK)
    assert (again.made, again.unchanged) == (0, 1)
    mark = AttendanceRecord.objects.get(code__code="absent")
    mark.code = usual_codes().present
    mark.save()
    third = decide(student.section, at=NOW + WEEK)

    assert (third.made, third.outcomes["eligible"]) == (1, 1)
    first.refresh_from_db()
    assert (first.outcome, first.attended, first.superseded_at) == ("short", 2, NOW + WEEK)
    assert outcomes(student) == ["short", "eligible"]


def test_who_has_left_is_not_decided_about(student):
    gone = EnrollmentFactory(section=student.section, status="withdrawn", dropped_at=NOW)
    over = EnrollmentFactory(section=student.section, status="completed")

    found = decide(student.section)

    assert sum(found.outcomes.values()) == 2
    assert set(EligibilityDecision.objects.values_list("enrollment", flat=True)) == {student.pk, over.pk}
    assert not gone.eligibility_decisions.exists()


def test_where_courses_are_judged_together_the_numbers_are_those_of_all(student):
    other = EnrollmentFactory(student=student.student, section=SectionFactory(term=student.term))
    AttendancePolicyFactory(basis="aggregate")
    term_of(student, "paa")
    term_of(other, "ppppp")

    decide(student.section)

    kept = current(student)
    assert (kept.outcome, kept.attended, kept.counted, kept.basis) == ("eligible", 6, 8, "aggregate")
    assert not other.eligibility_decisions.exists()


def test_a_condonation_admits_and_says_why_and_is_withdrawn_with_a_reason(student, registrar):
    short = attend(student, "ppa")

    condoned = services.condone_shortage(short, by=registrar, at=NOW, reason="Was in hospital", note="Letter")
    assert (condoned.outcome, condoned.condonation, condoned.condoned_from) == ("condoned", condoned, 65)
    assert (condoned.reason, condoned.note, condoned.decided_by) == ("Was in hospital", "Letter", registrar)
    withdrawn = services.withdraw_condonation(condoned, by=registrar, at=NOW + WEEK, reason="Forged")

    assert (withdrawn.outcome, withdrawn.condonation, withdrawn.reason) == ("short", None, "Forged")
    assert current(student) == withdrawn
    assert outcomes(student) == ["short", "condoned", "short"]
    assert len({(row.attended, row.counted) for row in student.eligibility_decisions.all()}) == 1


def test_a_condonation_survives_what_stays_above_its_floor_and_no_further(student):
    further(student, "p" * 6)
    condoned = condone(attend(student, "ppaaa"))  # 8 of 11
    steps = []
    for marks in ("a", "p" * 10, "a" * 4, "a" * 2):
        further(student, marks)
        decide(student.section)
        kept = current(student)
        steps.append((kept.outcome, kept.attended, kept.counted, kept.condonation_id == condoned.pk))

    assert steps == [
        ("condoned", 8, 12, True),
        ("eligible", 18, 22, True),  # it rests, and holds again
        ("condoned", 18, 26, True),
        ("not_eligible", 18, 28, False),
    ]
    further(student, "p")
    decide(student.section)
    # What has lapsed does not come back.
    assert (current(student).outcome, current(student).condonation) == ("short", None)


def test_a_condonation_holds_to_the_floor_on_which_it_was_granted(student):
    decision = EligibilityDecisionFactory(enrollment=student, attended=2, counted=3, condonation_floor=60)
    condone(decision)
    asked_for(student, "75", "70")

    assert attend(student, "ppa").outcome == "condoned"
    again = services.withdraw_condonation(current(student), by=None, at=NOW, reason="No more")
    assert (again.outcome, again.condonation_floor) == ("not_eligible", 70)


@pytest.mark.parametrize(("marks", "code"), [("ppp", "not_short"), ("paa", "below_condonation_floor"), ("ppa", None)])
def test_what_may_not_be_condoned_is_refused_by_its_own_code(student, registrar_client, marks, code):
    short = attend(student, marks)

    answer = registrar_client.post(f"{LIST}{short.pk}/condone/", {"reason": "Ill"}, format="json")

    assert answer.status_code == (409 if code else 200)
    assert answer.json().get("code") == code
    again = registrar_client.post(f"{LIST}{short.pk}/condone/", {"reason": "Ill"}, format="json").json()
    assert again["code"] == (code or "decision_superseded")
    assert EligibilityDecision.objects.count() == (1 if code else 2)
    if not code:
        new = answer.json()["data"]["id"]
        assert again["errors"][0]["meta"] == {"current": new}
        twice = registrar_client.post(f"{LIST}{new}/condone/", {"reason": "Ill"}, format="json").json()
        assert twice["code"] == "already_condoned"
    else:
        none = registrar_client.post(f"{LIST}{short.pk}/withdraw/", {"reason": "No"}, format="json")
        assert (none.status_code, none.json()["code"]) == (409, "not_condoned")


@pytest.mark.parametrize("given", [{}, {"reason": ""}, {"reason": 3}, {"reason": "x\x00"}, {"reason": "y", "why": ""}])
def test_nothing_is_condoned_or_withdrawn_without_a_reason(student, registrar_client, given):
    short = attend(student, "ppa")

    for step in ("condone", "withdraw"):
        assert registrar_client.post(f"{LIST}{short.pk}/{step}/", given, format="json").status_code == 400
    assert EligibilityDecision.objects.count() == 1


@pytest.mark.checklist(13)
def test_nobody_decides_about_themselves(student, user_with, client_for):
    ada = user_with(Role.STUDENT, "self", person=student.student.person)
    RoleAssignmentFactory(user=ada, role=Role.EXAM_CONTROLLER, scope_kind="institution")
    client, short = client_for(ada), attend(student, "ppa")

    answers = [
        client.post(f"{LIST}decide/", {"section": str(student.section_id)}, format="json"),
        client.post(f"{LIST}{short.pk}/condone/", {"reason": "Ill"}, format="json"),
        client.post(f"{LIST}{short.pk}/withdraw/", {"reason": "Ill"}, format="json"),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "self_approval")] * 3
    assert EligibilityDecision.objects.count() == 1


def test_who_is_not_admitted_any_more_is_announced_once_and_so_is_a_condonation(student):
    short = attend(student, "ppa")
    decide(student.section, at=NOW + WEEK)
    condoned = condone(short)
    services.withdraw_condonation(condoned, by=None, at=NOW, reason="No")
    for _ in range(2):
        further(student, "a")
        decide(student.section)

    told = announced("attendance.eligibility.denied")
    assert [row["outcome"] for row in told] == ["short", "short", "not_eligible"]
    assert {row["student_id"] for row in told} == {str(student.student_id)}
    (granted,) = announced("attendance.shortage.condoned")
    assert (granted["decision_id"], "reason" in granted) == (str(condoned.pk), False)


@pytest.fixture
def term(user_with):
    """A section of three students and one of another department, decided about."""
    term = TermFactory(state="in_progress")
    college = DepartmentFactory()
    term.college, term.course = college, CourseFactory(department=DepartmentFactory(parent=college))
    term.section, term.other = SectionFactory(term=term, course=term.course), SectionFactory(term=term)
    term.rows = [EnrollmentFactory(section=term.section) for _ in range(3)]
    for row, marks in zip(term.rows, ("ppp", "ppa", "paa"), strict=True):
        term_of(row, marks)
    term.elsewhere = EnrollmentFactory(section=term.other)
    term_of(term.elsewhere, "ppa")
    decide(term.section, term.other)
    return term


def shown(client, question=""):
    answer = client.get(f"{LIST}{question}")
    assert answer.status_code == 200, answer.json()
    return [row["enrollment"] for row in answer.json()["data"]]


def test_decisions_are_listed_in_pages_narrowed_and_put_on_record(
    term, registrar_client, django_assert_max_num_queries
):
    second = term.rows[1]
    condone(current(second))

    with django_assert_max_num_queries(5):
        assert len(shown(registrar_client)) == 5
    assert Disclosure.objects.filter(what="attendance").count() == 4
    assert set(shown(registrar_client, f"?section={term.section.pk}&is_current=true")) == {
        str(row.pk) for row in term.rows
    }
    assert shown(registrar_client, "?is_current=false") == [str(second.pk)]
    assert shown(registrar_client, "?outcome=condoned") == [str(second.pk)]
    assert len(shown(registrar_client, "?outcome=short,not_eligible&is_current=true")) == 2
    assert len(shown(registrar_client, f"?student={second.student_id}&enrollment={second.pk}")) == 2
    assert shown(registrar_client, f"?search={term.elsewhere.student.student_no}") == [str(term.elsewhere.pk)]
    assert len(shown(registrar_client, f"?term={term.pk}&course={term.course.pk}")) == 4
    assert registrar_client.get(f"{LIST}?mood=good").json()["errors"][0]["code"] == "unknown_parameter"


def test_everybody_sees_the_decisions_that_concern_them_and_why_is_told_few(term, user_with, client_for):
    second = term.rows[1]
    condoned = condone(current(second), note="Letter")
    teaches = SectionInstructorFactory(section=term.section)
    clients = {
        "student": client_for(user_with(Role.STUDENT, "self", person=second.student.person)),
        "teacher": client_for(user_with(Role.FACULTY, "self", person=teaches.faculty.person)),
        "office": client_for(user_with(Role.EXAM_CONTROLLER, "institution")),
        "auditor": client_for(user_with(Role.AUDITOR, "institution")),
    }
    stranger = client_for(user_with(Role.STUDENT, "self", person=term.elsewhere.student.person))

    seen = {name: set(shown(client, "?is_current=true")) for name, client in clients.items()}
    own, all_ = {str(second.pk)}, {str(row.pk) for row in term.rows}
    assert seen == {
        "student": own, "teacher": all_, "office": {*all_, str(term.elsewhere.pk)},
        "auditor": {*all_, str(term.elsewhere.pk)},
    }  # fmt: skip
    told = {name: client.get(f"{LIST}{condoned.pk}/").json()["data"] for name, client in clients.items()}
    assert {name: (row["outcome"], row["reason"], row["note"]) for name, row in told.items()} == {
        "student": ("condoned", "Was in hospital", "Letter"), "teacher": ("condoned", None, None),
        "office": ("condoned", "Was in hospital", "Letter"), "auditor": ("condoned", None, None),
    }  # fmt: skip
    assert stranger.get(f"{LIST}{condoned.pk}/").status_code == 404
    assert clients["teacher"].post(f"{LIST}{condoned.pk}/withdraw/", {"reason": "x"}, format="json").status_code == 403


def test_an_office_decides_within_its_unit(term, user_with, client_for):
    office = client_for(user_with(Role.EXAM_CONTROLLER, ScopeKind.DEPARTMENT, term.college.pk))

    def post(**given):
        return office.post(f"{LIST}decide/", {name: str(row.pk) for name, row in given.items()}, format="json")

    own = post(section=term.section)
    assert own.json()["data"] == {
        "outcomes": {"eligible": 1, "short": 1, "condoned": 0, "not_eligible": 1}, "made": 0, "unchanged": 3,
        "unmarked": 3,
    }  # fmt: skip
    foreign = post(section=term.other)
    assert (foreign.status_code, foreign.json()["code"]) == (403, "out_of_scope")
    answer = office.post(f"{LIST}{current(term.elsewhere).pk}/condone/", {"reason": "Ill"}, format="json")
    assert answer.status_code == 404
    assert post(course=term.course, term=term).json()["data"]["unchanged"] == 3
    for given, code in (
        ({}, "which_sections"), ({"section": term.section, "term": term}, "which_sections"),
        ({"course": term.course, "term": TermFactory()}, "no_sections"),
    ):  # fmt: skip
        answer = post(**given)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)


def test_the_attendance_of_a_student_and_of_a_section_says_what_was_decided(
    term, registrar_client, django_assert_max_num_queries
):
    second, new = term.rows[1], EnrollmentFactory(section=term.section)
    condoned = condone(current(second))

    with django_assert_max_num_queries(5):
        data = registrar_client.get(f"/api/v1/students/{second.student_id}/attendance/").json()["data"]
    (line,) = data["sections"]
    assert (line["decision"]["id"], line["decision"]["outcome"]) == (str(condoned.pk), "condoned")
    with django_assert_max_num_queries(5):
        data = registrar_client.get(f"/api/v1/sections/{term.section.pk}/attendance/").json()["data"]
    found = {row["enrollment"]: row["decision"] and row["decision"]["outcome"] for row in data["students"]}
    assert found == {
        str(term.rows[0].pk): "eligible", str(second.pk): "condoned", str(term.rows[2].pk): "not_eligible",
        str(new.pk): None,
    }  # fmt: skip


def test_three_hundred_students_cost_as_many_statements_as_three(registrar_client):
    def cost(students):
        section = SectionFactory(capacity=students)
        session = ClassSessionFactory(section=section, starts_at=timezone.now() - WEEK)
        for _ in range(students):
            AttendanceRecordFactory(
                session=session, enrollment=EnrollmentFactory(section=section), code=usual_codes().absent
            )
        costs = []
        for _ in range(2):
            with CaptureQueriesContext(connection) as asked:
                answer = registrar_client.post(f"{LIST}decide/", {"section": str(section.pk)}, format="json")
            assert answer.json()["data"]["outcomes"]["not_eligible"] == students
            costs.append(len(asked))
            AttendanceRecord.objects.filter(session=session).update(code=usual_codes().absent)
        return costs

    few, many = cost(3), cost(300)
    assert few == many
    assert max(many) <= 20


@pytest.mark.django_db(transaction=True)
def test_of_two_who_condone_at_once_one_does_and_the_other_is_told(student):
    short = attend(student, "ppa")

    answers = at_once(lambda: condone(short).outcome, lambda: condone(short).outcome)

    assert sorted(answers) == ["condoned", "decision_superseded"]
    assert outcomes(student) == ["short", "condoned"]


@pytest.mark.django_db(transaction=True)
def test_who_decides_while_somebody_condones_loses_no_condonation(student):
    short = attend(student, "ppa")
    further(student, "pap")

    answers = at_once(lambda: condone(short).outcome, lambda: decide(student.section).made)

    assert answers[1] == 1
    assert answers[0] in ("condoned", "decision_superseded")
    assert current(student).outcome == ("condoned" if answers[0] == "condoned" else "short")
    assert EligibilityDecision.objects.current().count() == 1


def test_a_page_is_found_by_its_keys_however_many_tables_it_shows_something_of(term, registrar_client):
    with CaptureQueriesContext(connection) as asked:
        assert len(shown(registrar_client)) == 4
    (statement,) = (query["sql"] for query in asked if '"attendance_eligibilitydecision"."percent"' in query["sql"])

    # The server puts eight tables in order at once (`join_collapse_limit`): what is beyond them it joins as a whole.
    assert statement.count(" JOIN ") >= 7
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
        (found,) = cursor.fetchone()
    nodes = list(nodes_of((json.loads(found) if isinstance(found, str) else found)[0]["Plan"]))
    # Which join comes first depends on how many rows there are; that the keys are found before any join does not.
    (keys,) = (node for node in nodes if node.get("Parent Relationship") == "InitPlan")
    assert keys["Node Type"] == "Limit"
    assert {node.get("Relation Name") for node in nodes_of(keys)} - {None} == {"attendance_eligibilitydecision"}
    conditions = [str(node.get(kind)) for node in nodes for kind in ("Index Cond", "Filter") if kind in node]
    assert any("id = ANY (" in condition for condition in conditions), conditions
