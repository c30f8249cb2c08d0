"""Sections, instructors and the timetable: what the services promise and refuse."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange

from core.errors import InUseError, InvalidError
from core.models import OutboxEvent
from courses import services
from courses.models import Meeting, MeetingSection, Section, SectionInstructor, SectionStatusEvent
from tests.courses.factories import (
    CourseFactory,
    MeetingFactory,
    MeetingSectionFactory,
    SectionFactory,
    SectionInstructorFactory,
)
from tests.departments.factories import RoomFactory, TermFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.faculty.factories import FacultyFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 9, 7, 12, tzinfo=UTC)
MONDAY = {"weekday": 1, "starts_at": time(9), "ends_at": time(10, 30)}


def taught(section):
    rows = SectionInstructor.objects.filter(section=section).order_by("-share", "pk")
    return [(row.faculty_id, row.role, row.share) for row in rows]


def times(section):
    rows = Meeting.objects.filter(sections=section).order_by("weekday", "starts_at")
    return [(row.weekday, row.starts_at, row.room_id) for row in rows]


class TestCreateSection:
    def test_a_section_has_the_version_in_effect_when_its_term_begins(self):
        course, term = CourseFactory(title="Before"), TermFactory(starts_on=date(2026, 9, 1))
        services.start_version(course, by=None, starts_on=date(2026, 9, 2), title="After")

        section = services.create_section(by=None, course=course, term=term, code="01", capacity=30)

        assert section.course_version.title == "Before"

    def test_a_course_that_does_not_exist_yet_is_not_offered(self):
        course, term = CourseFactory(starts_on=date(2026, 9, 2)), TermFactory(starts_on=date(2026, 9, 1))

        with pytest.raises(services.NoVersionInEffectError):
            services.create_section(by=None, course=course, term=term, code="01", capacity=30)

    def test_it_comes_with_instructors_and_meetings_or_not_at_all(self):
        room = RoomFactory()
        MeetingFactory(room=room, **MONDAY)
        values = {"course": CourseFactory(), "term": TermFactory(), "code": "01", "capacity": 30}
        faculty = FacultyFactory()

        with pytest.raises(services.RoomConflictError) as refused:
            services.create_section(
                by=None,
                **values,
                instructors=[{"faculty": faculty}],
                meetings=[{**MONDAY, "weekday": 2}, {**MONDAY, "room": room}],
            )

        assert refused.value.field == "meetings.1.room"
        assert not Section.objects.exists()
        section = services.create_section(by=None, **values, instructors=[{"faculty": faculty}], meetings=[MONDAY])
        assert taught(section) == [(faculty.pk, "primary", 100)]
        assert times(section) == [(1, time(9), None)]

    @pytest.mark.parametrize("values", [{"capacity": -1}, {"capacity": 10**12}, {"code": ""}, {"mode": "odd"}])
    def test_refuses_what_no_section_is(self, values):
        plain = {"course": CourseFactory(), "term": TermFactory(), "code": "01", "capacity": 30}

        with pytest.raises(InvalidError) as refused:
            services.create_section(by=None, **{**plain, **values})

        assert refused.value.field == next(iter(values))


class TestUpdateSection:
    def test_seats_that_are_taken_are_not_taken_away(self):
        section = EnrollmentFactory(section__capacity=2).section
        EnrollmentFactory(section=section)

        with pytest.raises(services.CapacityBelowEnrolledError) as refused:
            services.update_section(Section.objects.get(pk=section.pk), by=None, capacity=1)

        assert refused.value.meta == {"taken": 2}
        services.update_section(Section.objects.get(pk=section.pk), by=None, capacity=1, override_seats=1)
        services.update_section(Section.objects.get(pk=section.pk), by=None, capacity=2, override_seats=0)

    def test_a_section_may_move_to_another_term_until_somebody_is_enrolled(self):
        section, term = SectionFactory(), TermFactory()
        services.update_section(section, by=None, term=term)
        EnrollmentFactory(section=section)

        with pytest.raises(InUseError):
            services.update_section(section, by=None, term=TermFactory())

        assert Section.objects.get(pk=section.pk).term == term

    def test_another_course_brings_its_version(self):
        section, course = SectionFactory(), CourseFactory()

        services.update_section(section, by=None, course=course)

        assert Section.objects.get(pk=section.pk).course_version == course.current_version

    def test_whatever_changes_counts_as_one_change(self):
        section = SectionFactory()
        everything = {"capacity": 5, "instructors": [{"faculty": FacultyFactory()}], "meetings": [MONDAY]}

        services.update_section(section, by=None, **everything)
        services.update_section(section, by=None, **everything)

        assert Section.objects.get(pk=section.pk).version == 2

    def test_new_meetings_alone_are_a_change(self):
        section = SectionFactory()

        services.update_section(section, by=None, meetings=[MONDAY])

        assert Section.objects.get(pk=section.pk).version == 2

    def test_it_leaves_the_counters_to_the_database(self):
        section = SectionFactory()
        EnrollmentFactory(section=section)

        services.update_section(section, by=None, capacity=40)

        assert Section.objects.get(pk=section.pk).enrolled_count == 1


class TestDeleteSection:
    def test_a_section_goes_with_its_meetings_except_shared_ones(self):
        shared, own = MeetingSectionFactory(), MeetingSectionFactory()
        MeetingSectionFactory(meeting=shared.meeting, section=own.section)

        services.delete_section(own.section, by=None)

        assert list(Meeting.objects.all()) == [shared.meeting]

    def test_a_section_somebody_enrolled_in_stays(self):
        section = EnrollmentFactory().section

        with pytest.raises(InUseError):
            services.delete_section(section, by=None)


class TestInstructors:
    def set(self, section, *items):
        services.update_section(Section.objects.get(pk=section.pk), by=None, instructors=items)
        connection.check_constraints()

    def test_without_shares_all_carry_the_same_and_the_first_is_primary(self):
        section, staff = SectionFactory(), [FacultyFactory() for _ in range(3)]

        self.set(section, *({"faculty": member} for member in staff))

        assert [row[1:] for row in taught(section)] == [
            ("primary", Decimal("33.34")), ("co", Decimal("33.33")), ("co", Decimal("33.33")),
        ]  # fmt: skip

    def test_a_list_replaces_the_former_one(self):
        section, successor = SectionInstructorFactory().section, FacultyFactory()

        self.set(section, {"faculty": successor})
        assert taught(section) == [(successor.pk, "primary", 100)]
        self.set(section)
        assert taught(section) == []

    @pytest.mark.parametrize("shares", [(50, 49), (60, 50), (100, None)])
    def test_shares_make_a_whole(self, shares):
        section = SectionInstructorFactory().section
        before = taught(section)
        items = [
            {"faculty": FacultyFactory()} | ({} if share is None else {"share": Decimal(share)}) for share in shares
        ]

        if sum(share or 0 for share in shares) == 100:
            self.set(section, *items)
            return
        with pytest.raises(services.SharesNot100Error):
            self.set(section, *items)
        assert taught(section) == before

    def test_nobody_is_named_twice_and_one_is_primary(self):
        section, staff = SectionFactory(), [FacultyFactory(), FacultyFactory()]

        with pytest.raises(services.DuplicateInstructorError):
            self.set(section, {"faculty": staff[0]}, {"faculty": staff[0]})
        with pytest.raises(services.SecondPrimaryInstructorError):
            self.set(section, *({"faculty": member, "role": "primary"} for member in staff))


class TestMeetings:
    def set(self, section, *items):
        services.update_section(Section.objects.get(pk=section.pk), by=None, meetings=items)

    def test_a_meeting_takes_place_on_the_days_of_the_term_unless_told(self):
        section = SectionFactory(term__starts_on=date(2026, 9, 1), term__ends_on=date(2027, 1, 31))
        some = {"starts_on": date(2026, 9, 7), "ends_on": date(2026, 9, 7)}

        self.set(section, MONDAY, {**MONDAY, "weekday": 2, "dates": some})

        first, second = Meeting.objects.order_by("weekday")
        assert (first.dates.lower, first.last_day) == (date(2026, 9, 1), date(2027, 1, 31))
        assert (second.dates.lower, second.last_day) == (date(2026, 9, 7), date(2026, 9, 7))

    def test_a_list_replaces_the_former_one_and_keeps_what_is_the_same(self):
        section = SectionFactory()
        self.set(section, MONDAY, {**MONDAY, "weekday": 2})
        kept = Meeting.objects.get(weekday=2)

        self.set(section, {**MONDAY, "weekday": 3}, {**MONDAY, "weekday": 2})

        assert {meeting.weekday for meeting in Meeting.objects.all()} == {2, 3}
        assert Meeting.objects.get(weekday=2).pk == kept.pk

    def test_a_meeting_named_by_its_id_is_changed(self):
        section = SectionFactory()
        self.set(section, MONDAY)
        meeting = Meeting.objects.get()

        self.set(section, {"id": meeting, "starts_at": time(8)})

        assert [(m.pk, m.starts_at, m.ends_at) for m in Meeting.objects.all()] == [(meeting.pk, time(8), time(10, 30))]

    def test_a_section_may_trade_rooms_with_its_own_former_self(self):
        section, rooms = SectionFactory(), [RoomFactory(), RoomFactory()]
        self.set(section, {**MONDAY, "room": rooms[0]}, {**MONDAY, "room": rooms[1], "weekday": 2})

        self.set(section, {**MONDAY, "room": rooms[0], "weekday": 2}, {**MONDAY, "room": rooms[1]})

        assert set(times(section)) == {(1, time(9), rooms[1].pk), (2, time(9), rooms[0].pk)}

    def test_a_room_conflict_names_the_other_meeting(self):
        room = RoomFactory()
        other = MeetingSectionFactory(meeting__room=room, meeting__weekday=1)
        section = SectionFactory()

        with pytest.raises(services.RoomConflictError) as refused:
            self.set(section, {**MONDAY, "room": room})

        assert refused.value.field == "meetings.0.room"
        assert refused.value.meta["meetings"] == [
            {
                "id": str(other.meeting.pk),
                "weekday": 1,
                "starts_at": "09:00:00",
                "ends_at": "10:00:00",
                "sections": [f"{other.section.course.code}-{other.section.code}"],
            }
        ]

    def test_a_waived_conflict_is_none(self):
        room = RoomFactory()
        MeetingFactory(room=room, **MONDAY)

        self.set(SectionFactory(), {**MONDAY, "room": room, "conflict_waived": True})

    @pytest.mark.parametrize(
        ("values", "code", "field"),
        [
            ({"ends_at": time(9)}, "ends_before_start", "meetings.0"),
            ({"starts_at": time(9, 0, 1)}, "whole_minutes", "meetings.0.starts_at"),
            ({"weekday": 8}, "max_value", "meetings.0.weekday"),
            (
                {"dates": {"starts_on": date(2026, 9, 2), "ends_on": date(2026, 9, 1)}},
                "ends_before_start",
                "meetings.0.dates",
            ),
            ({"dates": {"starts_on": date(2026, 9, 2), "ends_on": date.max}}, "ends_before_start", "meetings.0.dates"),
        ],
    )
    def test_refuses_times_that_make_no_sense(self, values, code, field):
        with pytest.raises(InvalidError) as refused:
            self.set(SectionFactory(), {**MONDAY, **values})

        assert (refused.value.error_code, refused.value.field) == (code, field)

    def test_sections_that_are_taught_together_share_one_meeting(self):
        room, first = RoomFactory(), SectionFactory()
        second = SectionFactory(term=first.term)
        meeting = services.create_meeting(by=None, sections=[first, second], room=room, **MONDAY)

        third = SectionFactory(term=first.term)
        self.set(third, {"id": meeting})

        assert set(MeetingSection.objects.filter(meeting=meeting).values_list("section", flat=True)) == {
            first.pk, second.pk, third.pk,
        }  # fmt: skip
        self.set(first)
        assert Meeting.objects.filter(pk=meeting.pk).exists()

    def test_every_section_of_a_meeting_counts_its_change(self):
        first = SectionFactory()
        second = SectionFactory(term=first.term)
        meeting = services.create_meeting(by=None, sections=[first, second], **MONDAY)
        before = Section.objects.get(pk=second.pk).version

        self.set(first, {"id": meeting, "starts_at": time(8)})
        services.update_meeting(Meeting.objects.get(), by=None, note="Bring a coat.")

        assert Section.objects.get(pk=second.pk).version == before + 2

    def test_which_sections_meet_together_can_change(self):
        first = SectionFactory()
        second = SectionFactory(term=first.term)
        meeting = services.create_meeting(by=None, sections=[first], **MONDAY)

        services.update_meeting(meeting, by=None, sections=[second])

        assert times(first) == []
        assert times(second) == [(1, time(9), None)]

    def test_sections_of_two_terms_do_not_meet_together(self):
        sections = [SectionFactory(), SectionFactory()]

        with pytest.raises(services.ForeignMeetingError):
            services.create_meeting(by=None, sections=sections, **MONDAY)
        meeting = services.create_meeting(by=None, sections=sections[:1], **MONDAY)
        with pytest.raises(services.ForeignMeetingError):
            self.set(sections[1], {"id": meeting})

    def test_a_meeting_serves_somebody(self):
        with pytest.raises(services.MeetingWithoutSectionError):
            services.create_meeting(by=None, sections=[], **MONDAY)

    def test_a_meeting_goes_back_to_the_days_of_the_term(self):
        row = MeetingSectionFactory(meeting__dates=DateRange(date(2026, 10, 1), date(2026, 10, 2), "[)"))

        services.update_meeting(row.meeting, by=None, dates=None)

        assert Meeting.objects.get().last_day == row.section.term.ends_on

    def test_a_meeting_is_taken_off_the_timetable(self):
        row = MeetingSectionFactory()

        services.delete_meeting(row.meeting, by=None)

        assert times(row.section) == []


class TestMoveSection:
    def test_each_step_is_recorded_and_announced(self, registrar):
        section = SectionFactory(status="planned")

        services.move_section(section, status="open", by=registrar, at=NOON, reason="Go.")

        step = SectionStatusEvent.objects.get()
        assert (step.from_status, step.to_status, step.actor, step.reason) == ("planned", "open", registrar, "Go.")
        event = OutboxEvent.objects.get()
        assert (event.name, event.payload["to_status"]) == ("courses.section.moved", "open")

    @pytest.mark.parametrize(
        ("before", "after"),
        [("planned", "in_progress"), ("open", "completed"), ("grading", "cancelled"), ("cancelled", "open")],
    )
    def test_refuses_a_step_that_the_life_of_a_section_lacks(self, before, after):
        section = SectionFactory(status=before)

        with pytest.raises(services.SectionTransitionError):
            services.move_section(section, status=after, by=None, at=NOON)

        assert Section.objects.get(pk=section.pk).status == before
        assert not SectionStatusEvent.objects.exists()

    def test_a_cancelled_section_leaves_its_rooms_but_not_those_of_others(self):
        row = MeetingSectionFactory(meeting__room=RoomFactory())
        shared = MeetingSectionFactory(section=row.section, meeting=MeetingFactory(weekday=2, room=RoomFactory()))
        MeetingSectionFactory(meeting=shared.meeting)

        services.move_section(row.section, status="cancelled", by=None, at=NOON)

        assert set(Meeting.objects.filter(room=None)) == {row.meeting}
        assert OutboxEvent.objects.filter(name="courses.section.cancelled").count() == 1


class TestGrantSeats:
    def test_seats_are_granted_just_so_far_that_those_who_come_fit_in(self):
        section = EnrollmentFactory(section__capacity=1).section

        services.grant_seats({section.pk: 2})
        services.grant_seats({section.pk: 1})

        section.refresh_from_db()
        assert (section.override_seats, section.seats_left) == (2, 2)
