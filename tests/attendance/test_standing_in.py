"""What the timetable, rescheduling and cancelling make of a substitution, and two who are equally quick."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.roles import Role
from attendance import services
from attendance.models import ClassSession, Substitution, SubstitutionEvent
from core.errors import DomainError
from core.models import OutboxEvent
from courses.services import delete_meeting, delete_section
from departments.models import RoomReservation
from faculty.models import FacultyReservation
from tests.attendance.conftest import BEFORE, generate, taught
from tests.departments.factories import CalendarEventFactory
from tests.faculty.factories import FacultyFactory
from tests.racing import at_once, while_uncommitted

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def first_of(section):
    return ClassSession.objects.filter(section=section).earliest("starts_at")


def proposed(session, substitute, at=BEFORE, **values):
    return services.propose_substitution(session=session, substitute=substitute, reason="Ill", by=None, at=at, **values)


def accepted(session, substitute, **values):
    found = services.accept_substitution(proposed(session, substitute, **values), by=None, at=BEFORE)
    session.refresh_from_db()
    return found


def revoke(substitution, at=BEFORE):
    return services.revoke_substitution(substitution, by=None, at=at, reason="Back")


def wanted(session):
    held = FacultyReservation.objects.filter(source=session.gathering, cancelled_at=None)
    return {row.faculty_id: row.conflict_waived for row in held}


def refusal(act):
    with pytest.raises(DomainError) as refused:
        act()
    return [each.error_code for each in refused.value.violations]


@pytest.fixture
def lesson(side):
    """The first class of physics, and somebody who would teach it."""
    generate()
    side.session, side.free = first_of(side.physics.section), FacultyFactory()
    side.teacher = side.physics.faculty
    return side


def test_generation_leaves_a_substitution_as_it_is(lesson):
    accepted(lesson.session, lesson.free)

    assert generate().written == 0
    assert wanted(lesson.session) == {lesson.free.pk: False}
    assert Substitution.objects.get().status == "accepted"
    revoke(Substitution.objects.get())
    assert generate().written == 0
    assert wanted(lesson.session) == {lesson.teacher.pk: False}


def test_the_substitute_goes_along_when_the_timetable_changes_the_hour(lesson):
    accepted(lesson.session, lesson.free)
    lesson.physics.meeting.starts_at, lesson.physics.meeting.ends_at = time(11), time(12)
    lesson.physics.meeting.save()

    assert generate().changed == 5

    assert wanted(lesson.session) == {lesson.free.pk: False}
    slot = FacultyReservation.objects.get(source=lesson.session.gathering).slot
    assert (slot.lower.hour, slot.upper - slot.lower) == (9, HOUR)  # in UTC
    assert first_of(lesson.physics.section).substitute == lesson.free


def test_a_substitute_whom_the_timetable_wants_twice_then_is_flagged_and_told(lesson):
    maths = taught(lesson, "MAT", room=lesson.other_room, starts_at=time(11), ends_at=time(12))
    generate()
    accepted(lesson.session, maths.faculty)
    lesson.physics.meeting.starts_at, lesson.physics.meeting.ends_at = time(11), time(12)
    lesson.physics.meeting.save()

    (clash,) = generate().clashes

    assert (clash["what"], clash["wanted_twice"]) == ("PHY-01", str(maths.faculty.pk))
    assert wanted(lesson.session) == {maths.faculty.pk: True}


def test_a_day_that_becomes_a_holiday_and_comes_back_has_its_substitute(lesson):
    substitution = accepted(lesson.session, lesson.free)
    day = lesson.session.local_date
    holiday = CalendarEventFactory(starts_on=day, ends_on=day)

    assert generate().removed == 1
    lesson.session.refresh_from_db()
    assert lesson.session.status == "cancelled"
    assert not RoomReservation.objects.filter(source=lesson.session.gathering).exists()
    assert wanted(lesson.session) == {}
    assert refusal(lambda: revoke(substitution)) == ["session_cancelled"]
    assert generate().written == 0
    substitution.refresh_from_db()
    holiday.delete()

    assert generate().changed == 1
    lesson.session.refresh_from_db()
    assert (lesson.session.status, lesson.session.note, lesson.session.room) == ("scheduled", "", lesson.room)
    assert wanted(lesson.session) == {lesson.free.pk: False}
    assert generate().written == 0


def test_a_class_that_goes_off_the_timetable_keeps_who_was_asked_and_holds_nothing(lesson):
    accepted(lesson.session, lesson.free)
    delete_meeting(lesson.physics.meeting, by=None)

    assert generate().removed == 5
    assert ClassSession.objects.get().status == "cancelled"
    assert not RoomReservation.objects.exists()
    assert not FacultyReservation.objects.exists()
    assert generate().written == 0
    assert refusal(lambda: delete_section(lesson.physics.section, by=None)) == ["in_use"]


def test_who_takes_the_section_over_is_wanted_beside_the_substitute(lesson):
    substitution = accepted(lesson.session, lesson.free)
    heir = FacultyFactory()
    lesson.physics.section.section_instructors.update(faculty=heir)

    generate()

    assert wanted(lesson.session).keys() == {lesson.free.pk, heir.pk}
    revoke(substitution)
    assert wanted(lesson.session).keys() == {heir.pk}


def test_the_substitute_moves_along_with_the_class_and_the_teacher_stays_free(lesson):
    accepted(lesson.session, lesson.free)
    later = lesson.session.starts_at + 5 * HOUR

    services.reschedule_session(
        lesson.session, starts_at=later, ends_at=later + HOUR, by=None, at=BEFORE, room=lesson.room
    )

    held = FacultyReservation.objects.get(source=lesson.session.gathering, cancelled_at=None)
    assert (held.faculty, held.slot.lower) == (lesson.free, later)
    assert generate().written == 0
    revoke(Substitution.objects.get())
    held = FacultyReservation.objects.get(source=lesson.session.gathering, cancelled_at=None)
    assert (held.faculty, held.slot.lower) == (lesson.teacher, later)


def test_a_class_moves_nowhere_where_its_substitute_is_busy(lesson):
    maths = taught(lesson, "MAT", room=lesson.other_room, starts_at=time(14), ends_at=time(15))
    generate()
    accepted(lesson.session, maths.faculty)
    clash = first_of(maths.section).starts_at

    with pytest.raises(DomainError) as refused:
        services.reschedule_session(
            lesson.session, starts_at=clash, ends_at=clash + HOUR, by=None, at=BEFORE, room=lesson.room
        )

    assert refused.value.error_code == "person_conflict"
    assert refused.value.meta["what"] == "PHY-01"
    assert [other["what"] for other in refused.value.meta["reservations"]] == ["MAT-01"]
    assert first_of(lesson.physics.section).starts_at != clash


def test_a_teacher_who_was_knowingly_in_two_places_is_so_again(side):
    maths = taught(side, "MAT", room=side.other_room, starts_at=time(9), ends_at=time(10))
    maths.section.section_instructors.update(faculty=side.physics.faculty)
    generate()
    doubly = FacultyReservation.objects.filter(conflict_waived=True).earliest("slot")
    session = ClassSession.objects.get(gathering=doubly.source)
    substitution = accepted(session, FacultyFactory())
    generate()

    revoke(substitution)

    assert wanted(session) == {side.physics.faculty.pk: True}


def test_who_teaches_two_sections_that_gather_is_free_when_replaced_in_both(side):
    graduate = taught(side, "PHY5", meeting=side.physics.meeting)
    graduate.section.section_instructors.update(faculty=side.physics.faculty)
    generate()
    one, other = (first_of(section) for section in (side.physics.section, graduate.section))
    free = FacultyFactory()

    accepted(one, free)
    assert wanted(one).keys() == {side.physics.faculty.pk, free.pk}
    second = accepted(other, free)
    assert wanted(one).keys() == {free.pk}
    assert generate().written == 0
    assert wanted(one).keys() == {free.pk}
    revoke(second)
    assert wanted(one).keys() == {side.physics.faculty.pk, free.pk}


def test_a_cancelled_class_frees_its_substitute_though_others_gather(side):
    graduate = taught(side, "PHY5", meeting=side.physics.meeting)
    generate()
    one, free = first_of(side.physics.section), FacultyFactory()
    substitution = accepted(one, free)

    services.cancel_session(one, by=None, at=BEFORE)

    assert wanted(one).keys() == {graduate.faculty.pk}
    assert refusal(lambda: revoke(substitution)) == ["session_cancelled"]


def test_classes_that_follow_one_another_across_the_change_of_clocks_do_not_clash(side):
    night = DateRange(date(2026, 10, 25), date(2026, 10, 26), "[)")
    early = taught(side, "EARLY", dates=night, weekday=7, room=None, starts_at=time(2, 15), ends_at=time(2, 45))
    # Half an hour later by the clock on the wall, and an hour and a half in truth: two o'clock comes twice.
    late = taught(side, "LATE", dates=night, weekday=7, room=None, starts_at=time(3, 15), ends_at=time(3, 45))
    generate()
    session = first_of(early.section)

    accepted(session, late.faculty)

    assert first_of(late.section).starts_at - session.starts_at == 2 * HOUR
    assert wanted(session) == {late.faculty.pk: False}


def test_a_class_of_midnight_expires_by_the_instant_and_is_found_by_the_day_of_the_campus(side, registrar_client):
    night = taught(side, "NIGHT", starts_at=time(0, 15), ends_at=time(1), room=None)
    generate()
    session = first_of(night.section)
    substitution = proposed(session, FacultyFactory())
    assert (session.local_date, session.starts_at.date()) == (date(2026, 10, 12), date(2026, 10, 11))

    def found(day):
        return len(
            registrar_client.get("/api/v1/attendance/substitutions/", {"date_from": day, "date_to": day}).json()["data"]
        )

    assert (found("2026-10-12"), found("2026-10-11")) == (1, 0)
    begins = datetime(2026, 10, 11, 22, 15, tzinfo=UTC)
    assert services.expire_substitutions(at=begins - SECOND) == 0
    assert refusal(lambda: services.accept_substitution(substitution, by=None, at=begins)) == ["substitution_expired"]
    assert services.expire_substitutions(at=begins) == 1
    assert services.expire_substitutions(at=begins) == 0


@pytest.mark.django_db(transaction=True)
class TestRaces:
    """Each with connections of its own."""

    @pytest.fixture
    def asked(self, side, user_with, client_for):
        """Tomorrow's class, whoever is asked to teach it, and a client for them."""
        side.session = _tomorrow(side.physics)
        side.free = FacultyFactory()
        side.substitution = proposed(side.session, side.free, at=timezone.now())
        side.user = user_with(Role.FACULTY, "self", person=side.free.person)
        side.client_for = client_for
        side.teacher = user_with(Role.FACULTY, "self", person=side.physics.faculty.person)
        return side

    def test_of_two_answers_at_once_one_counts_and_the_other_is_told_the_same(self, asked):
        url = f"/api/v1/attendance/substitutions/{asked.substitution.pk}/accept/"
        clients = [asked.client_for(asked.user) for _ in range(2)]

        answers = at_once(*((lambda client=client: client.post(url, {}, format="json")) for client in clients))

        assert [answer.status_code for answer in answers] == [200, 200]
        assert SubstitutionEvent.objects.filter(to_status="accepted").count() == 1
        assert OutboxEvent.objects.filter(name="attendance.substitution.accepted").count() == 1
        assert wanted(asked.session) == {asked.free.pk: False}

    def test_of_two_classes_at_one_time_one_person_takes_one(self, asked):
        other = _tomorrow(taught(asked, "MAT", room=None, starts_at=time(14), ends_at=time(15)))
        second = proposed(other, asked.free, at=timezone.now())

        came_of_it = at_once(
            *(
                lambda row=row: services.accept_substitution(row, by=None, at=timezone.now()).status
                for row in (asked.substitution, second)
            )
        )

        assert sorted(came_of_it) == ["accepted", "person_conflict"]
        assert sorted(row.status for row in Substitution.objects.all()) == ["accepted", "proposed"]
        assert len(wanted(asked.session) | wanted(other)) == 2

    def test_who_accepts_what_is_withdrawn_at_the_time_is_too_late(self, asked):
        row = Substitution.objects.get()
        accept = f"/api/v1/attendance/substitutions/{row.pk}/accept/"
        client = asked.client_for(asked.user)

        answer = while_uncommitted(
            lambda: services.withdraw_substitution(row, by=None, at=timezone.now()),
            lambda: client.post(accept, {}, format="json"),
        )

        assert (answer.status_code, answer.json()["code"]) == (409, "substitution_transition")
        assert asked.free.pk not in wanted(asked.session)

    def test_the_chore_gives_way_to_whoever_is_answering(self, asked):
        row = Substitution.objects.get()
        late = asked.session.starts_at

        counts = at_once(
            lambda: services.accept_substitution(row, by=None, at=late - SECOND).status,
            lambda: services.expire_substitutions(at=late),
        )

        row.refresh_from_db()
        assert (row.status, counts) in (
            ("accepted", ["accepted", 0]), ("expired", ["substitution_expired", 1]), ("expired", ["edit_conflict", 1]),
            ("expired", ["substitution_transition", 1]),
        )  # fmt: skip
        assert (asked.free.pk in wanted(asked.session)) == (row.status == "accepted")

    def test_of_two_proposals_at_once_one_is_made(self, asked):
        services.withdraw_substitution(asked.substitution, by=None, at=timezone.now())
        others = [FacultyFactory(), FacultyFactory()]

        came_of_it = at_once(
            *(lambda one=one: proposed(asked.session, one, at=timezone.now()).status for one in others)
        )

        assert sorted(came_of_it) == ["proposed", "substitution_open"]

    def test_a_class_that_is_being_cancelled_is_taken_over_by_nobody(self, asked):
        def cancel():
            services.lock_gatherings([asked.session.gathering])
            services.cancel_session(asked.session, by=None, at=timezone.now())

        came_of_it = while_uncommitted(
            cancel, lambda: services.accept_substitution(asked.substitution, by=None, at=timezone.now())
        )

        assert came_of_it == "session_cancelled"
        assert wanted(asked.session) == {}


def _tomorrow(lesson):
    """Return a class of tomorrow, with its teacher wanted there."""
    starts_at = timezone.now() + 24 * HOUR
    session = ClassSession.objects.create(
        section=lesson.section, gathering=lesson.section.pk, starts_at=starts_at, ends_at=starts_at + HOUR,
        local_date=starts_at.date(), planned_on=starts_at.date(),
    )  # fmt: skip
    services.reschedule_session(session, starts_at=starts_at, ends_at=starts_at + HOUR, by=None, at=timezone.now())
    return session
