"""What can happen to faculty, and how it refuses."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import Person
from core.errors import ConflictError, DomainError, InUseError, InvalidError
from core.models import OutboxEvent
from faculty import services
from faculty.models import Faculty, FacultyAppointment, FacultyStatus, FacultyStatusEvent
from tests.accounts.factories import UserFactory
from tests.departments.factories import DepartmentFactory
from tests.faculty.factories import FacultyAppointmentFactory, FacultyFactory
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
START = date(2020, 9, 1)


def posts_of(faculty):
    rows = FacultyAppointment.objects.filter(faculty=faculty).order_by("starts_on")
    return [(row.rank, row.department, row.valid.lower, row.valid.upper) for row in rows]


# A known person brings their own name.
UNNAMED = {"first_name": "", "last_name": ""}


def recorded(**values):
    defaults = {"last_name": "Noether", "employee_no": "E1", "rank": "lecturer", "appointed_on": START}
    return services.create_faculty(by=None, **{**defaults, "department": DepartmentFactory(), **values})


class TestCreateFaculty:
    def test_records_the_person_their_part_and_their_post(self):
        faculty = recorded(fte=Decimal("0.5"))

        faculty.refresh_from_db()
        assert (faculty.person.last_name, faculty.fte, faculty.status) == ("Noether", Decimal("0.500"), "active")
        assert posts_of(faculty) == [("lecturer", faculty.department, START, None)]

    def test_the_first_post_begins_today_unless_said(self):
        faculty = recorded(appointed_on=None)

        assert posts_of(faculty)[0][2] == timezone.localdate()

    def test_whoever_has_gone_is_recorded_without_a_post(self):
        assert posts_of(recorded(status="retired")) == []

    def test_refuses_a_number_that_is_taken_and_records_nobody(self):
        FacultyFactory(employee_no="E1")

        with pytest.raises(ConflictError) as refused:
            recorded(employee_no="E1")

        assert (refused.value.error_code, refused.value.field) == ("employee_no_taken", "employee_no")
        assert Person.objects.count() == 1

    def test_gives_one_more_part_to_a_person_who_is_known(self):
        person = StudentFactory().person

        assert recorded(person=person, **UNNAMED).person == person
        assert Person.objects.count() == 1

    def test_refuses_to_make_a_person_faculty_twice(self):
        with pytest.raises(ConflictError) as refused:
            recorded(person=FacultyFactory().person, **UNNAMED)

        assert refused.value.error_code == "already_faculty"

    @pytest.mark.parametrize("fte", [Decimal(0), Decimal("1.501")])
    def test_refuses_a_post_of_no_or_too_much_work(self, fte):
        with pytest.raises(InvalidError) as refused:
            recorded(fte=fte)

        assert refused.value.error_code == "fte_out_of_range"

    def test_announces_the_member_and_the_post(self):
        faculty = recorded()

        events = OutboxEvent.objects.order_by("seq")
        assert [event.name for event in events] == ["faculty.faculty.created", "faculty.faculty.appointed"]
        assert events[1].payload == {
            "faculty_id": str(faculty.pk),
            "department_id": str(faculty.department_id),
            "rank": "lecturer",
            "starts_on": "2020-09-01",
        }


class TestUpdateFaculty:
    def test_another_rank_begins_another_post(self):
        faculty = recorded()

        services.update_faculty(faculty, by=None, rank="professor", appointed_on=date(2026, 3, 1))

        assert posts_of(faculty) == [
            ("lecturer", faculty.department, START, date(2026, 3, 1)),
            ("professor", faculty.department, date(2026, 3, 1), None),
        ]

    def test_another_department_begins_another_post(self):
        faculty, other = recorded(), DepartmentFactory()
        old = faculty.department

        services.update_faculty(faculty, by=None, department=other, appointed_on=date(2026, 3, 1))

        assert posts_of(faculty) == [
            ("lecturer", old, START, date(2026, 3, 1)),
            ("lecturer", other, date(2026, 3, 1), None),
        ]

    def test_a_post_elsewhere_stays_as_it_is(self):
        faculty, other = recorded(), DepartmentFactory()
        FacultyAppointmentFactory(faculty=faculty, department=other)

        services.update_faculty(faculty, by=None, rank="professor")

        assert FacultyAppointment.objects.lasting().filter(department=other, rank="lecturer").exists()

    def test_a_post_corrected_on_its_first_day_leaves_no_other(self):
        faculty = recorded()

        services.update_faculty(faculty, by=None, rank="instructor", appointed_on=START)

        assert posts_of(faculty) == [("instructor", faculty.department, START, None)]

    def test_refuses_to_end_a_post_before_it_begins(self):
        faculty = recorded()

        with pytest.raises(InvalidError) as refused:
            services.update_faculty(faculty, by=None, rank="professor", appointed_on=START - timedelta(days=1))

        assert (refused.value.error_code, refused.value.field) == ("ends_before_start", "appointed_on")
        assert Faculty.objects.get().rank == "lecturer"

    def test_the_same_values_again_change_nothing(self):
        faculty = recorded()

        services.update_faculty(faculty, by=None, rank="lecturer", last_name="Noether", employee_no="E1")

        assert (Faculty.objects.get().version, len(posts_of(faculty))) == (1, 1)

    def test_a_change_of_the_person_counts_as_one_of_the_member(self):
        services.update_faculty(recorded(), by=None, preferred_name="Emmy")

        assert (Faculty.objects.get().version, Person.objects.get().preferred_name) == (2, "Emmy")

    def test_refuses_another_number(self):
        with pytest.raises(ConflictError) as refused:
            services.update_faculty(recorded(), by=None, employee_no="E2")

        assert (refused.value.error_code, refused.value.field) == ("employee_no_immutable", "employee_no")

    def test_another_status_is_a_step_like_any_other(self):
        services.update_faculty(recorded(), by=None, status="on_leave")

        assert FacultyStatusEvent.objects.get().to_status == "on_leave"


class TestChangeStatus:
    @pytest.mark.parametrize("before", FacultyStatus)
    @pytest.mark.parametrize("after", FacultyStatus)
    def test_goes_the_documented_ways_only(self, before, after):
        faculty = FacultyFactory(status=before)
        is_way = after in services.TRANSITIONS[before]

        try:
            services.change_status(faculty, status=after, by=None, at=NOON)
            refused = None
        except DomainError as error:
            refused = error.error_code

        assert Faculty.objects.get().status == (after if is_way else before)
        assert refused == (None if is_way else "illegal_transition")

    def test_records_and_announces_the_step(self):
        faculty, actor = FacultyFactory(), UserFactory()

        services.change_status(faculty, status="on_leave", by=actor, at=NOON, reason="Sabbatical")

        step = FacultyStatusEvent.objects.get()
        assert (step.from_status, step.to_status, step.actor, step.reason) == (
            "active",
            "on_leave",
            actor,
            "Sabbatical",
        )
        assert OutboxEvent.objects.get().name == "faculty.faculty.status_changed"

    @pytest.mark.parametrize("status", ["retired", "departed"])
    def test_whoever_goes_holds_no_post_any_more(self, status):
        faculty = recorded()
        FacultyAppointmentFactory(faculty=faculty, department=DepartmentFactory())

        services.change_status(faculty, status=status, by=None, at=NOON)

        assert [post[3] for post in posts_of(faculty)] == [NOON.date()] * 2

    def test_whoever_comes_back_holds_the_last_post_anew(self):
        faculty = recorded()
        services.change_status(faculty, status="departed", by=None, at=NOON)

        services.change_status(faculty, status="active", by=None, at=NOON + timedelta(days=30))

        assert posts_of(faculty) == [
            ("lecturer", faculty.department, START, date(2026, 9, 1)),
            ("lecturer", faculty.department, date(2026, 10, 1), None),
        ]


class TestDeleteFaculty:
    def test_deletes_the_person_and_the_first_post_too(self):
        services.delete_faculty(recorded(), by=None)

        assert (Faculty.objects.count(), Person.objects.count(), FacultyAppointment.objects.count()) == (0, 0, 0)

    def test_leaves_a_person_who_has_another_part(self):
        faculty = FacultyFactory()
        StudentFactory(person=faculty.person)

        services.delete_faculty(faculty, by=None)

        assert (Faculty.objects.count(), Person.objects.count()) == (0, 1)

    def test_refuses_to_delete_a_career(self):
        faculty = recorded()
        services.update_faculty(faculty, by=None, rank="professor")

        with pytest.raises(InUseError):
            services.delete_faculty(faculty, by=None)

        assert len(posts_of(faculty)) == 2

    def test_refuses_to_delete_a_history(self):
        faculty = recorded()
        services.change_status(faculty, status="on_leave", by=None, at=NOON)

        with pytest.raises(InUseError):
            services.delete_faculty(faculty, by=None)

        assert len(posts_of(faculty)) == 1
