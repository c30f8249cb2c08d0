"""What can happen to the shape of the university, and how it refuses."""

from datetime import UTC, date, datetime

import pytest

from core.errors import ConflictError, DomainError, InUseError, InvalidError, ViolationsError
from core.models import OutboxEvent
from departments import services
from departments.models import Appointment, Department, TermState, TermStateEvent
from tests.accounts.factories import PersonFactory, UserFactory
from tests.departments.factories import DepartmentFactory, RoomFactory, TermFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


class TestTheTree:
    def test_a_department_knows_its_ancestors(self):
        college = services.create_department(by=None, code="C", name="College")
        school = services.create_department(by=None, code="S", name="School", parent=college)
        unit = services.create_department(by=None, code="U", name="Unit", parent=school)

        unit.refresh_from_db()

        assert unit.lineage == [college.pk, school.pk, unit.pk]

    def test_moving_a_department_takes_everything_below_it_along(self):
        old, new = DepartmentFactory(), DepartmentFactory()
        school = DepartmentFactory(parent=old)
        unit = DepartmentFactory(parent=school)

        services.update_department(Department.objects.get(pk=school.pk), by=None, parent=new)

        assert set(Department.objects.within([new.pk])) == {new, school, unit}
        assert set(Department.objects.within([old.pk])) == {old}

    def test_refuses_to_lie_below_itself(self):
        top = DepartmentFactory()
        middle = DepartmentFactory(parent=top)
        bottom = DepartmentFactory(parent=middle)

        with pytest.raises(ConflictError) as refused:
            services.update_department(Department.objects.get(pk=top.pk), by=None, parent=bottom)

        assert refused.value.error_code == "department_cycle"
        assert Department.objects.get(pk=top.pk).parent is None

    def test_is_not_deleted_while_something_refers_to_it(self):
        child = DepartmentFactory(parent=DepartmentFactory())

        with pytest.raises(InUseError) as refused:
            services.delete_department(child.parent, by=None)

        assert refused.value.meta == {"referred_to_by": {"departments": 1}}
        assert Department.objects.count() == 2


class TestWriting:
    def test_the_same_values_again_change_nothing(self):
        department = Department.objects.get(pk=DepartmentFactory(name="Physics").pk)

        services.update_department(department, by=None, name="Physics")

        assert Department.objects.get().version == 1

    def test_every_change_counts_the_version_and_moves_the_audit_time(self):
        department = Department.objects.get(pk=DepartmentFactory().pk)
        before = department.updated_at

        services.update_department(department, by=None, name="Physics")

        fresh = Department.objects.get()
        assert (fresh.version, fresh.name) == (2, "Physics")
        assert fresh.updated_at > before

    def test_a_change_made_meanwhile_is_not_lost(self):
        pk = DepartmentFactory().pk
        mine, theirs = Department.objects.get(pk=pk), Department.objects.get(pk=pk)
        services.update_department(theirs, by=None, name="Theirs")

        with pytest.raises(ConflictError) as refused:
            services.update_department(mine, by=None, name="Mine")

        assert refused.value.error_code == "edit_conflict"
        assert Department.objects.get().name == "Theirs"

    @pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
    def test_refuses_text_that_cannot_be_stored(self, text):
        with pytest.raises(InvalidError) as refused:
            services.create_department(by=None, code="X", name=text)

        assert (refused.value.error_code, refused.value.field) == ("invalid_text", "name")

    def test_reports_every_fault_at_once(self):
        with pytest.raises(ViolationsError) as refused:
            services.create_department(by=None, code="x" * 65, name="", kind="castle")

        assert {error.field for error in refused.value.violations} == {"code", "name", "kind"}

    def test_a_room_seats_no_more_in_an_examination(self):
        room = RoomFactory(capacity=30)

        with pytest.raises(InvalidError) as refused:
            services.update_room(room, by=None, exam_capacity=31)

        assert refused.value.error_code == "exam_capacity_exceeds_capacity"

    def test_a_campus_lies_in_a_time_zone_that_exists(self):
        with pytest.raises(DomainError) as refused:
            services.create_campus(by=None, code="X", name="X", time_zone="Mars/Olympus")

        assert (refused.value.field, refused.value.error_code) == ("time_zone", "unknown_time_zone")


class TestAppointments:
    def test_a_department_has_one_head_at_a_time_and_keeps_its_history(self):
        department, first, second = DepartmentFactory(), PersonFactory(), PersonFactory()
        services.appoint(
            by=None,
            department=department,
            person=first,
            role="head",
            starts_on=date(2020, 1, 1),
            ends_on=date(2024, 1, 1),
        )
        services.appoint(by=None, department=department, person=second, role="head", starts_on=date(2024, 1, 1))

        with pytest.raises(ConflictError) as refused:
            services.appoint(by=None, department=department, person=first, role="head", starts_on=date(2025, 1, 1))

        assert refused.value.error_code == "overlapping_appointment"
        assert [a.person for a in Appointment.objects.current()] == [second]

    def test_ending_one_vacates_the_office_from_today(self):
        appointment = services.appoint(
            by=None, department=DepartmentFactory(), person=PersonFactory(), role="head", starts_on=date(2020, 1, 1)
        )

        services.end_appointment(appointment, by=None)

        assert not Appointment.objects.current().exists()
        assert Appointment.objects.get().valid.lower == date(2020, 1, 1)

    def test_refuses_to_end_before_it_begins(self):
        with pytest.raises(InvalidError) as refused:
            services.appoint(
                by=None, department=DepartmentFactory(), person=PersonFactory(), role="head",
                starts_on=date(2024, 1, 2), ends_on=date(2024, 1, 1),
            )  # fmt: skip

        assert refused.value.error_code == "ends_before_start"


class TestMovingATerm:
    def test_records_the_step_and_announces_it(self):
        term, registrar = TermFactory(state=TermState.REGISTRATION), UserFactory()

        services.move_term(term, state=TermState.IN_PROGRESS, by=registrar, at=NOON, reason="Teaching begins")

        event = TermStateEvent.objects.get()
        assert (event.from_state, event.to_state, event.actor, event.happened_at) == (
            "registration", "in_progress", registrar, NOON,
        )  # fmt: skip
        assert OutboxEvent.objects.get().payload["to_state"] == "in_progress"

    def test_refuses_a_step_that_does_not_exist_and_records_nothing(self):
        term = TermFactory(state=TermState.CLOSED)

        with pytest.raises(ConflictError) as refused:
            services.move_term(term, state=TermState.PLANNED, by=None, at=NOON)

        assert refused.value.error_code == "illegal_transition"
        assert refused.value.meta == {"allowed": ["archived"]}
        assert not TermStateEvent.objects.exists()
        assert not OutboxEvent.objects.exists()
