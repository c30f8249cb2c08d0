"""Lists that were asked for before are made by their statement alone: the view's answer, of rows as they are now."""

import json
import logging
from contextlib import suppress

import pytest
from django.core.exceptions import EmptyResultSet
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from accounts.models import Person, RoleAssignment
from accounts.roles import SCOPES, Role, ScopeKind
from audit.models import Disclosure
from core.api import bulkhead, precedents, remembered
from core.api.edge import _lists
from core.api.rows import RenderedRows
from core.api.viewsets import BaseViewSet
from core.masks import masks_of, with_knowledge
from core.models import CustomField
from core.security.limiter import Limit
from core.visibility import visible
from students.models import Student
from tests.accounts.factories import RoleAssignmentFactory
from tests.core.api.wire import EACH_ITS_OWN, Wire, lease, viewed
from tests.courses.factories import SectionFactory
from tests.departments.factories import DepartmentFactory, ProgramFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.students.factories import StudentFactory

__all__ = ["lease", "viewed"]

pytestmark = pytest.mark.django_db(transaction=True)
STUDENTS, ENROLLMENTS = "/api/v1/students/", "/api/v1/enrollments/"


@pytest.fixture
def students():
    return [StudentFactory(student_no=f"S{number}") for number in range(5)]


@pytest.fixture
def client(students, registrar_client):
    return Wire(registrar_client)


def told(answer):
    """Return an answer but for what differs between any two, the instant at which it was made among it."""
    headers = {name: value for name, value in answer.headers.items() if name not in EACH_ITS_OWN}
    body = answer.json() if answer.content else {}
    body.pop("timestamp", None)
    return answer.status_code, body, headers


def by_both(client, viewed, url, **headers):
    """Return an answer without the view, and by the view."""
    client.get(url)
    viewed.clear()
    without = client.get(url, headers=headers)
    assert viewed == []
    precedents._precedents.clear()
    with_view = client.get(url, headers=headers)
    assert len(viewed) == 1
    return without, with_view


def numbers(answer):
    return [row["student_no"] for row in answer.json()["data"]]


class TestTheAnswer:
    @pytest.mark.parametrize(
        "query",
        [
            "",
            "?page_size=2",
            "?page=2&page_size=2",
            "?status=active&ordering=-last_name",
            "?fields=id,student_no&include=department",
            "?department={department}",
        ],
    )
    def test_is_the_view_s_with_all_its_headers(self, client, viewed, students, query):
        without, with_view = by_both(client, viewed, STUDENTS + query.format(department=students[0].department_id))

        assert told(without) == told(with_view)
        assert without.json()["data"]

    def test_from_a_cursor_on_is_the_view_s(self, client, viewed):
        pages = client.get(f"{STUDENTS}?page_size=2").json()["meta"]["pagination"]
        second = client.get(pages["next"])

        for link in ("next", "previous"):
            without, with_view = by_both(client, viewed, second.json()["meta"]["pagination"][link])
            assert told(without) == told(with_view)

    def test_of_other_records_is_the_view_s(self, client, viewed):
        EnrollmentFactory.create_batch(2)

        without, with_view = by_both(client, viewed, ENROLLMENTS)

        assert told(without) == told(with_view)
        assert len(without.json()["data"]) == 2

    def test_to_who_has_it_already_is_the_view_s_too(self, client, viewed):
        tag = client.get(STUDENTS)["ETag"]

        without, with_view = by_both(client, viewed, STUDENTS, **{"If-None-Match": tag})

        assert without.status_code == 304
        assert told(without) == told(with_view)

    def test_shows_the_rows_as_they_are(self, client, viewed, students):
        client.get(STUDENTS)
        client.get(f"{STUDENTS}?page=1")
        viewed.clear()

        Person.objects.filter(pk=students[0].person_id).update(last_name="Changed")
        assert client.get(STUDENTS).json()["data"][0]["last_name"] == "Changed"
        Student.objects.filter(pk=students[1].pk).delete()
        StudentFactory(student_no="S00")
        assert numbers(client.get(STUDENTS)) == ["S0", "S00", "S2", "S3", "S4"]
        assert client.get(f"{STUDENTS}?page=1").json()["meta"]["pagination"]["total"] == 5

        assert viewed == []

    def test_ends_where_the_list_ends_by_then(self, client, viewed, students):
        last = f"{STUDENTS}?page=3&page_size=2"
        client.get(last)
        viewed.clear()

        Student.objects.filter(pk=students[4].pk).delete()

        answer = client.get(last)
        assert (answer.status_code, answer.json()["code"]) == (404, "page_not_found")
        assert viewed == [STUDENTS]

    def test_is_put_on_record_as_the_view_s_is(self, client, viewed):
        client.get(STUDENTS)
        before = set(Disclosure.objects.values_list("id", flat=True))

        client.get(STUDENTS, headers={"X-Request-ID": "again"})

        facts = ("what", "subject_id", "actor_id", "actor_label", "basis", "route", "address", "key_prefix")
        first = set(Disclosure.objects.filter(id__in=before).values_list(*facts))
        again = Disclosure.objects.exclude(id__in=before)
        assert {entry.request_id for entry in again} == {"again"}
        assert set(again.values_list(*facts)) == first
        assert len(first) == 5

    def test_is_logged_as_the_view_s_is(self, client, registrar, viewed, caplog):
        with caplog.at_level(logging.INFO, "core.access"):
            by_both(client, viewed, f"{STUDENTS}?page_size=2")

        facts = ("method", "route", "status", "user_id", "key_id", "query")
        without, with_view = ({name: getattr(line, name) for name in facts} for line in caplog.records[1:])
        assert without == with_view
        assert without["user_id"] == registrar.pk


class TestTheRules:
    def test_of_sight_are_asked_of_the_rows_as_they_are(self, user_with, client_for, students, viewed):
        mine = students[0].department_id
        head = Wire(client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, mine)))
        assert numbers(head.get(STUDENTS)) == ["S0"]
        viewed.clear()

        Student.objects.filter(pk=students[3].pk).update(department=mine)
        assert numbers(head.get(STUDENTS)) == ["S0", "S3"]
        Student.objects.filter(pk=students[0].pk).update(department=DepartmentFactory())
        assert numbers(head.get(STUDENTS)) == ["S3"]
        assert viewed == []

    def test_of_sight_are_those_of_whoever_asks(self, user_with, client_for, students):
        for student in students[:2]:
            client = Wire(client_for(user_with(Role.STUDENT, ScopeKind.SELF, person=student.person)))
            assert [numbers(client.get(STUDENTS)) for _ in range(2)] == [[student.student_no]] * 2

    def test_that_have_changed_decide_about_the_next_request(self, client, registrar):
        assert [client.get(STUDENTS).status_code for _ in range(2)] == [200, 200]

        RoleAssignment.objects.filter(user=registrar).delete()

        assert client.get(STUDENTS).json()["code"] == "permission_denied"

    def test_of_masks_are_kept(self, user_with, client_for, registrar_client, students, viewed):
        field = {"entity_type": "students.student", "name": "blood_group", "label": "Blood", "field_type": "text"}
        CustomField.objects.create(**field, protected=True)
        url = f"{STUDENTS}{students[0].pk}/"
        assert registrar_client.patch(url, {"custom_fields": {"blood_group": "AB-"}}, "json").status_code == 200
        shown = {}
        for role in (Role.REGISTRAR, Role.EXAM_CONTROLLER):
            client = Wire(client_for(user_with(role)))
            without, with_view = by_both(client, viewed, STUDENTS)
            assert told(without) == told(with_view)
            shown[role] = without.json()["data"][0]["custom_fields"]

        assert shown == {Role.REGISTRAR: {"blood_group": "AB-"}, Role.EXAM_CONTROLLER: {"blood_group": None}}

    def test_count_each_request_once(self, students, registrar_client, settings, monkeypatch, viewed):
        settings.RATE_LIMITS = {"account": Limit("account", 5, 10**6, 5, 5)}
        client = Wire(registrar_client)

        def fail(self, using):
            raise ConnectionError("the database is gone")

        left = [client.get(STUDENTS)["RateLimit"] for _ in range(2)]
        monkeypatch.setattr(RenderedRows, "found_again", fail)
        answers = [client.get(STUDENTS) for _ in range(4)]

        assert [each.partition(";t")[0] for each in left] == ['"account";r=4', '"account";r=3']
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[2]["RateLimit"].startswith('"account";r=0')

    def test_are_asked_anew_when_a_custom_field_has_come(self, client, viewed):
        client.get(STUDENTS)
        viewed.clear()

        CustomField.objects.create(entity_type="students.student", name="shoe_size", label="Shoe", field_type="number")

        assert "shoe_size" in json.dumps(client.get(STUDENTS).json()["data"])
        assert viewed == [STUDENTS]

    def test_are_asked_anew_on_another_day(self, client, viewed, monkeypatch):
        client.get(STUDENTS)
        viewed.clear()

        monkeypatch.setattr(remembered, "stamp", lambda: "another day")

        assert client.get(STUDENTS).status_code == 200
        assert viewed == [STUDENTS]


class TestARepetitionThatFails:
    @pytest.fixture
    def failing(self, client, monkeypatch, caplog):
        """Return a function that lets the next repetition meet an error, and tells what was answered and logged."""
        client.get(STUDENTS)
        found_again = RenderedRows.found_again

        def fail(error):
            def found(self, using):
                monkeypatch.setattr(RenderedRows, "found_again", found_again)
                raise error

            monkeypatch.setattr(RenderedRows, "found_again", found)
            caplog.clear()
            answer = client.get(STUDENTS)
            return answer.status_code, [(each.levelname, each.msg, bool(each.exc_info)) for each in caplog.records]

        return fail

    def test_by_a_fault_of_its_own_says_so_and_the_view_answers(self, failing):
        assert failing(LookupError("no such column")) == (200, [("ERROR", "repeat.failed", True)])

    def test_by_what_may_happen_to_any_question_is_the_view_s_to_tell(self, failing):
        assert failing(OperationalError("gone")) == (200, [("WARNING", "repeat.refused", False)])

    def test_for_lack_of_a_place_has_waited_for_it_once(self, client, settings, monkeypatch):
        client.get(STUDENTS)
        settings.DATABASE_POOL_TIMEOUT = 0.5
        room = bulkhead.room_of("api/v1/students/")
        places = [room.enter(0) for _ in range(settings.DATABASE_POOL_SIZE)]
        waited, enter = [], bulkhead.Room.enter
        monkeypatch.setattr(bulkhead.Room, "enter", lambda *asked: waited.append(asked[1]) or enter(*asked))
        try:
            answer = client.get(STUDENTS)
        finally:
            for _ in filter(None, places):
                room.leave()

        assert (answer.status_code, waited) == (503, [0.5])
        assert client.get(STUDENTS).status_code == 200


class TestWhatIsNotRepeated:
    def test_is_what_a_search_finds_and_what_other_means_ask(self, client, viewed):
        for _ in range(2):
            client.get(f"{STUDENTS}?search=S1")
            client.ask(STUDENTS, "HEAD")

        assert len(viewed) == 4

    def test_is_what_nobody_may_see_any_of(self, user_with, client_for, students, viewed):
        client = Wire(client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, DepartmentFactory().pk)))

        assert [numbers(client.get(STUDENTS)) for _ in range(2)] == [[], []]


# The units that a role may be held for.
UNITS = {
    ScopeKind.DEPARTMENT: DepartmentFactory,
    ScopeKind.PROGRAM: ProgramFactory,
    ScopeKind.SECTION: SectionFactory,
}
REPEATED = sorted(
    {view for _, view in _lists(get_resolver().url_patterns) if getattr(view, "repeats", False)},
    key=lambda view: view.__name__,
)


class TestAViewThatRepeats:
    """What decides about its lists has all to be in the statement, or in what a repetition is bound to."""

    @pytest.mark.parametrize("view", REPEATED)
    def test_decides_by_the_means_of_all_views(self, view):
        steps = ("initial", "list", "within", "_page", "filter_queryset", "paginate_queryset", "finalize_response")

        assert [name for name in steps if getattr(view, name) is not getattr(BaseViewSet, name)] == []

    @pytest.mark.parametrize("role", Role)
    @pytest.mark.parametrize("view", REPEATED)
    def test_asks_the_database_for_nothing_before_the_statement(self, view, role, user_with):
        values = {"UUIDFilter": "0198a1b2-0000-7000-8000-000000000000", "DateFilter": "2026-01-01"}
        user = user_with(role)
        for kind in SCOPES[role]:
            if kind in UNITS:
                RoleAssignmentFactory(user=user, role=role, scope_kind=kind, scope_id=UNITS[kind]().pk)
        user = type(user).objects.select_related("person").get(pk=user.pk)
        assert user.assignments

        with CaptureQueriesContext(
            connection,
        ) as asked:
            rows = visible(view.queryset.all(), user)
            for name, each in view.filterset_class.base_filters.items():
                choices = getattr(each, "values", None)
                value = next(iter(choices)) if choices else values.get(type(each).__name__, "2026-01-01T00:00:00Z")
                rows = view.filterset_class({name: value}, queryset=rows).qs
            rows = with_knowledge(rows, masks_of(view.queryset.model), user)
            with suppress(EmptyResultSet):
                str(rows.query)

        assert asked.captured_queries == []
