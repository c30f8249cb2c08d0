"""Every rule that the database keeps, broken on purpose without the services in between."""

from datetime import date, time
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from core.db.constraints import error_for
from courses.models import (
    Course,
    CourseVersion,
    Meeting,
    MeetingSection,
    Requisite,
    RequisiteCourse,
    Section,
    SectionInstructor,
    SectionStatusEvent,
)
from tests.courses.factories import (
    CourseFactory,
    MeetingFactory,
    MeetingSectionFactory,
    RequisiteFactory,
    SectionFactory,
    SectionInstructorFactory,
)
from tests.departments.factories import RoomFactory, TermFactory
from tests.faculty.factories import FacultyFactory

pytestmark = pytest.mark.django_db


def refused(action):
    """Run an action that the database refuses; return the code that a client would get."""

    def attempt():
        with transaction.atomic():
            action()
            connection.check_constraints()

    with pytest.raises(IntegrityError) as caught:
        attempt()
    error = error_for(caught.value)
    assert error is not None
    return error.error_code


def change(model, row, **values):
    return lambda: model._base_manager.filter(pk=row.pk).update(**values)


class TestCourse:
    def test_codes_are_unique(self):
        first, second = CourseFactory(), CourseFactory()

        assert refused(change(Course, second, code=first.code)) == "code_taken"

    @pytest.mark.parametrize(("values", "code"), [({"code": ""}, "blank"), ({"level": "odd"}, "invalid_choice")])
    def test_a_course_has_a_code_and_a_known_level(self, values, code):
        assert refused(change(Course, CourseFactory(), **values)) == code

    def test_the_current_version_is_of_the_course_itself(self):
        course, stranger = CourseFactory(starts_on=date(2030, 1, 1)), CourseFactory()
        early = CourseVersion.objects.create(
            course=course, version_no=2, title="T", credits=3, valid=DateRange(None, date(2030, 1, 1), "[)")
        )

        assert refused(change(Course, stranger, current_version=early)) == "in_use"


class TestCourseVersion:
    def make(self, course, **values):
        return lambda: CourseVersion.objects.create(
            **{
                "course": course,
                "version_no": 2,
                "title": "T",
                "credits": 3,
                "valid": DateRange(date(2030, 1, 1), None, "[)"),
                **values,
            }
        )

    def test_two_versions_are_never_in_effect_at_once(self):
        assert refused(self.make(CourseFactory())) == "effective_overlap"

    def test_versions_are_numbered_once(self):
        course = CourseFactory(starts_on=date(2030, 1, 1))

        action = self.make(course, version_no=1, valid=DateRange(date(2020, 1, 1), date(2021, 1, 1), "[)"))

        assert refused(action) == "edit_conflict"

    @pytest.mark.parametrize(
        ("values", "code"),
        [
            ({"valid": DateRange(empty=True)}, "ends_before_start"),
            ({"credits": -1}, "negative_credits"),
            ({"credits": 4, "credits_max": 3}, "bounds_reversed"),
        ],
    )
    def test_days_and_credits_make_sense(self, values, code):
        version = CourseFactory().current_version

        assert refused(change(CourseVersion, version, **values)) == code


class TestRequisite:
    def test_kinds_are_known(self):
        assert refused(change(Requisite, RequisiteFactory(), kind="odd")) == "invalid_choice"

    def test_a_requisite_names_a_course_once(self):
        requisite, course = RequisiteFactory(), CourseFactory()
        RequisiteCourse.objects.create(requisite=requisite, course=course)

        assert refused(lambda: RequisiteCourse.objects.create(requisite=requisite, course=course)) == "conflict"


class TestSection:
    def test_codes_are_unique_within_course_and_term(self):
        first = SectionFactory()
        second = SectionFactory(course=first.course, term=first.term)

        assert refused(change(Section, second, code=first.code)) == "code_taken"
        change(Section, second, code=first.code, term=TermFactory())()

    def test_its_version_is_of_its_course(self):
        section = SectionFactory()

        assert refused(change(Section, section, course=CourseFactory())) == "version_in_use"

    @pytest.mark.parametrize(
        ("values", "code"),
        [
            ({"code": ""}, "blank"),
            ({"status": "odd"}, "invalid_choice"),
            ({"mode": "odd"}, "invalid_choice"),
            ({"enrolled_count": -1}, "negative_count"),
            ({"held_count": -1}, "negative_count"),
            ({"waitlisted_count": -1}, "negative_count"),
            ({"enrolled_count": 31}, "section_full"),
            ({"enrolled_count": 20, "held_count": 11}, "section_full"),
            ({"waitlisted_count": 1}, "waitlist_full"),
        ],
    )
    def test_counts_and_kinds_make_sense(self, values, code):
        assert refused(change(Section, SectionFactory(capacity=30), **values)) == code

    def test_override_seats_are_seats(self):
        change(Section, SectionFactory(capacity=30), enrolled_count=31, override_seats=1)()


class TestSectionInstructor:
    def test_somebody_teaches_a_section_once(self):
        row = SectionInstructorFactory()

        action = lambda: SectionInstructor.objects.create(  # noqa: E731 - handed on
            section=row.section, faculty=row.faculty, role="co", share=0
        )

        assert refused(action) == "duplicate_instructor"

    def test_a_section_has_one_primary_instructor(self):
        row = SectionInstructorFactory()

        assert refused(lambda: SectionInstructorFactory(section=row.section, share=0)) == "second_primary_instructor"

    @pytest.mark.parametrize(
        ("values", "code"), [({"share": 101}, "shares_not_100"), ({"role": "odd"}, "invalid_choice")]
    )
    def test_shares_and_roles_make_sense(self, values, code):
        assert refused(change(SectionInstructor, SectionInstructorFactory(), **values)) == code

    def test_shares_add_up_at_commit_and_not_before(self):
        section = SectionFactory()
        SectionInstructorFactory(section=section, share=Decimal("60.00"))

        assert refused(lambda: None) == "shares_not_100"
        SectionInstructorFactory(section=section, role="co", share=Decimal("40.00"))
        connection.check_constraints()

    def test_taking_an_instructor_away_leaves_a_whole(self):
        section = SectionFactory()
        SectionInstructorFactory(section=section, share=Decimal(60))
        second = SectionInstructorFactory(section=section, role="co", share=Decimal(40))
        connection.check_constraints()

        assert refused(second.delete) == "shares_not_100"
        SectionInstructor.objects.filter(section=section).delete()
        connection.check_constraints()

    def test_moving_an_instructor_is_checked_in_both_sections(self):
        row = SectionInstructorFactory()
        other = SectionInstructorFactory(faculty=FacultyFactory())
        connection.check_constraints()

        assert refused(change(SectionInstructor, row, section=other.section, role="co")) == "shares_not_100"


class TestMeeting:
    NINE = {"weekday": 1, "starts_at": time(9), "ends_at": time(10)}

    @pytest.mark.parametrize(
        ("values", "is_free"),
        [
            ({"starts_at": time(9, 30), "ends_at": time(11)}, False),
            ({"starts_at": time(8), "ends_at": time(11)}, False),
            ({"starts_at": time(10), "ends_at": time(11)}, True),
            ({"weekday": 2}, True),
            ({"dates": DateRange(date(2027, 2, 1), date(2027, 3, 1), "[)")}, True),
            ({"dates": DateRange(date(2027, 1, 31), date(2027, 3, 1), "[)")}, False),
            ({"conflict_waived": True}, True),
        ],
    )
    def test_a_room_has_one_meeting_at_a_time(self, values, is_free):
        room = RoomFactory()
        MeetingFactory(room=room, **self.NINE)

        action = lambda: MeetingFactory(room=room, **{**self.NINE, **values})  # noqa: E731 - handed on

        if is_free:
            action()
        else:
            assert refused(action) == "room_conflict"

    def test_meetings_without_a_room_never_clash(self):
        MeetingFactory(**self.NINE)
        MeetingFactory(**self.NINE)

    @pytest.mark.parametrize(
        ("values", "code"),
        [
            ({"ends_at": time(9)}, "ends_before_start"),
            ({"ends_at": time(8)}, "ends_before_start"),
            ({"weekday": 0}, "invalid_weekday"),
            ({"weekday": 8}, "invalid_weekday"),
            ({"dates": DateRange(empty=True)}, "ends_before_start"),
            ({"dates": DateRange(date(2026, 1, 1), None)}, "ends_before_start"),
            ({"dates": DateRange(None, date(2026, 1, 1))}, "ends_before_start"),
        ],
    )
    def test_times_and_days_make_sense(self, values, code):
        assert refused(change(Meeting, MeetingFactory(**self.NINE), **values)) == code

    def test_a_meeting_serves_a_section_once(self):
        row = MeetingSectionFactory()

        assert refused(lambda: MeetingSection.objects.create(meeting=row.meeting, section=row.section)) == "conflict"


class TestSectionStatusEvent:
    def step(self):
        return SectionStatusEvent.objects.create(
            section=SectionFactory(), from_status="planned", to_status="open", happened_at=timezone.now()
        )

    def test_a_step_is_never_changed(self):
        assert refused(change(SectionStatusEvent, self.step(), reason="other")) == "immutable"

    def test_a_step_is_never_lost(self):
        assert refused(self.step().delete) == "immutable"

    def test_a_step_goes_with_its_section(self):
        self.step().section.delete()
        connection.check_constraints()

        assert not SectionStatusEvent.objects.exists()
