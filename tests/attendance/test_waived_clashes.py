"""Whatever is known to clash is flagged on the days on which it does, and keeps everything else out all the same."""

from datetime import UTC, datetime, time

import pytest
from django.db import transaction

from attendance.models import ClassSession
from core.errors import DomainError
from core.ids import new_id
from departments.models import RoomReservation
from departments.services import hold_rooms, reserve_room
from faculty.models import FacultyReservation
from faculty.services import hold_faculty, reserve_faculty
from tests.attendance.conftest import generate, taught
from tests.attendance.test_generation import HOUR, MONDAYS
from tests.racing import while_uncommitted

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 10, 12, 7, tzinfo=UTC)  # in Vienna


def exam(side, starts_at=NINE, **values):
    return reserve_room(
        room=side.room, starts_at=starts_at, ends_at=starts_at + HOUR, kind="exam", what="Exam", **values
    )


def defence(side, starts_at, **values):
    return reserve_faculty(
        faculty=side.physics.faculty, starts_at=starts_at, ends_at=starts_at + HOUR / 2, kind="defence",
        what="Defence", source=new_id(), **values,
    )  # fmt: skip


@pytest.fixture
def waived(side):
    side.physics.meeting.conflict_waived = True
    side.physics.meeting.save()
    return side


def test_a_meeting_that_may_clash_keeps_others_out_on_the_days_on_which_nothing_is_there(waived):
    assert generate().clashes == []

    with pytest.raises(DomainError) as refused:
        exam(waived)

    assert refused.value.error_code == "room_conflict"
    assert [other["what"] for other in refused.value.meta["reservations"]] == ["PHY-01"]
    assert not RoomReservation.objects.filter(conflict_waived=True).exists()


def test_it_is_flagged_where_it_clashes_and_nothing_new_is_put_over_either(waived):
    exam(waived, NINE - HOUR / 2)

    assert generate().clashes == []

    assert ClassSession.objects.filter(room=waived.room).count() == 5
    assert [row.slot.lower for row in RoomReservation.objects.filter(conflict_waived=True)] == [NINE]
    with pytest.raises(DomainError) as refused:
        exam(waived, NINE + HOUR / 2)  # of the class that is flagged alone
    assert refused.value.error_code == "room_conflict"
    assert [other["what"] for other in refused.value.meta["reservations"]] == ["PHY-01"]
    assert exam(waived, NINE + 2 * HOUR)


def test_whoever_is_flagged_may_go_where_nobody_is(waived):
    exam(waived, NINE - HOUR / 2)
    generate()
    flagged = RoomReservation.objects.get(conflict_waived=True)

    moved = exam(waived, NINE + HOUR / 2, source=flagged.source)

    assert (moved.pk, moved.conflict_waived) == (flagged.pk, False)


def test_a_teacher_who_is_wanted_twice_is_not_wanted_in_a_third_place(side):
    maths = taught(side, "MAT", room=side.other_room, starts_at=time(10), ends_at=time(12))
    maths.section.section_instructors.update(faculty=side.physics.faculty)
    generate()
    (flagged,) = FacultyReservation.objects.filter(slot__startswith__date=MONDAYS[0], conflict_waived=True)
    alone = NINE + 2 * HOUR if flagged.what == "MAT-01" else NINE

    with pytest.raises(DomainError) as refused:
        defence(side, alone)

    assert refused.value.error_code == "person_conflict"
    assert [other["what"] for other in refused.value.meta["reservations"]] == [flagged.what]
    assert defence(side, NINE + 4 * HOUR)


@pytest.mark.parametrize("kind", ["room", "person"])
@pytest.mark.django_db(transaction=True)
def test_what_is_being_flagged_is_waited_for(waived, kind):
    exam(waived, NINE - HOUR / 2)
    maths = taught(waived, "MAT", room=waived.other_room, starts_at=time(10), ends_at=time(12))
    maths.section.section_instructors.update(faculty=waived.physics.faculty)
    alone = {"room": lambda: exam(waived, NINE + HOUR / 2), "person": lambda: defence(waived, NINE + 2 * HOUR)}

    assert while_uncommitted(generate, alone[kind]) == f"{kind}_conflict"


@pytest.mark.django_db(transaction=True)
def test_rooms_and_people_are_held_in_one_order(side, django_assert_num_queries):
    with transaction.atomic(), django_assert_num_queries(2):
        hold_rooms([side.other_room.pk, side.room.pk, side.room.pk])
        hold_rooms([])
        hold_faculty([side.physics.faculty.pk])
