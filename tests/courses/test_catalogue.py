"""Courses, their versions and requisites: what the services promise and refuse."""

import itertools
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from core.errors import DomainError, InUseError, InvalidError
from courses import services
from courses.models import Course, CourseVersion, Requisite, RequisiteCourse, Section
from tests.courses.factories import CourseFactory, RequisiteFactory, SectionFactory
from tests.departments.factories import DepartmentFactory, ProgramFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def today():
    return timezone.localdate()


def fresh(course):
    return Course.objects.select_related("current_version").get(pk=course.pk)


class TestCreateCourse:
    def test_a_course_comes_with_a_version_in_effect_since_ever(self):
        course = services.create_course(
            by=None, code="CS101", department=DepartmentFactory(), title="Programming", credits=Decimal(6)
        )

        version = CourseVersion.objects.get(course=course)
        assert fresh(course).current_version == version
        assert (version.version_no, version.title, version.valid.lower, version.valid.upper) == (
            1, "Programming", None, None,
        )  # fmt: skip

    def test_a_course_may_begin_on_a_day(self):
        course = CourseFactory(starts_on=date(2026, 9, 1))

        assert course.current_version.valid.lower == date(2026, 9, 1)

    @pytest.mark.parametrize(
        ("values", "field"),
        [({"title": ""}, "title"), ({"credits": Decimal(1000)}, "credits"), ({"code": "\x00"}, "code")],
    )
    def test_refuses_what_no_course_is_and_keeps_nothing(self, values, field):
        with pytest.raises(InvalidError) as refused:
            CourseFactory(**values)

        assert refused.value.field == field
        assert not Course.objects.exists()
        assert not CourseVersion.objects.exists()


class TestUpdateCourse:
    def test_title_and_credits_are_corrected_in_the_version_in_effect(self):
        course = CourseFactory()

        services.update_course(course, by=None, title="Better", credits=Decimal(4))

        assert (fresh(course).current_version.title, fresh(course).current_version.credits) == ("Better", 4)
        assert CourseVersion.objects.filter(course=course).count() == 1

    def test_a_correction_counts_as_one_change_of_the_course(self):
        course = CourseFactory()

        services.update_course(course, by=None, title="Better", is_active=False)
        services.update_course(course, by=None, title="Better", is_active=False)

        assert fresh(course).version == 2

    def test_credits_under_which_students_are_enrolled_stay(self):
        section = SectionFactory()
        Section.objects.filter(pk=section.pk).update(enrolled_count=1)

        with pytest.raises(services.VersionInUseError):
            services.update_course(section.course, by=None, credits=Decimal(4))

        services.update_course(fresh(section.course), by=None, title="Better", credits=Decimal(3))
        assert fresh(section.course).current_version.title == "Better"

    def test_the_credits_of_a_planned_section_still_change(self):
        section = SectionFactory()

        services.update_course(section.course, by=None, credits=Decimal(4))

        assert fresh(section.course).current_version.credits == 4

    def test_a_new_code_reaches_the_requisites_that_name_the_course(self):
        course = CourseFactory(code="OLD1")
        requisite = RequisiteFactory(expr={"all": [{"any": [{"course": "OLD1", "min_grade": "C"}]}, {"credits": 3}]})

        services.update_course(course, by=None, code="NEW1")

        requisite.refresh_from_db()
        assert requisite.expr == {"all": [{"any": [{"course": "NEW1", "min_grade": "C"}]}, {"credits": "3"}]}


class TestDeleteCourse:
    def test_a_course_goes_with_its_versions_and_requisites(self):
        requisite = RequisiteFactory()

        services.delete_course(requisite.course_version.course, by=None)

        assert not CourseVersion.objects.exists()
        assert not Requisite.objects.exists()

    def test_a_course_that_was_offered_stays(self):
        section = SectionFactory()

        with pytest.raises(InUseError):
            services.delete_course(section.course, by=None)

    def test_a_course_that_a_requisite_names_stays(self):
        course = CourseFactory()
        RequisiteFactory(expr={"course": course.code})

        with pytest.raises(InUseError):
            services.delete_course(course, by=None)


class TestStartVersion:
    def test_the_former_version_ends_the_day_before(self, today):
        course = CourseFactory(title="Before")

        begun = services.start_version(course, by=None, starts_on=today, title="After")

        former = CourseVersion.objects.get(course=course, version_no=1)
        assert (former.title, former.valid.upper) == ("Before", today)
        assert (begun.version_no, begun.title, begun.credits, begun.valid.lower) == (2, "After", 3, today)

    def test_a_version_that_has_begun_is_the_current_one(self, today):
        course = CourseFactory()

        begun = services.start_version(course, by=None, starts_on=today)

        assert fresh(course).current_version == begun

    def test_a_version_of_the_future_waits_for_its_day(self, today):
        course = CourseFactory()
        begun = services.start_version(course, by=None, starts_on=today + timedelta(days=1))
        assert fresh(course).current_version != begun

        assert services.adopt_versions(on=today + timedelta(days=1)) == 1

        assert fresh(course).current_version == begun
        assert services.adopt_versions(on=today + timedelta(days=1)) == 0

    def test_the_daily_command_says_how_many_courses_changed(self):
        out = StringIO()
        CourseFactory()

        call_command("adopt_course_versions", stdout=out)

        assert out.getvalue() == "0 courses changed.\n"

    def test_requisites_go_along(self, today):
        named = CourseFactory()
        course = RequisiteFactory(expr={"course": named.code}).course_version.course

        begun = services.start_version(course, by=None, starts_on=today)

        copied = Requisite.objects.get(course_version=begun)
        assert copied.expr == {"course": named.code}
        assert RequisiteCourse.objects.get(requisite=copied).course == named

    @pytest.mark.parametrize("days", [0, -1])
    def test_refuses_to_begin_before_the_latest_version(self, days, today):
        course = CourseFactory(starts_on=today)

        with pytest.raises(services.VersionOverlapError) as refused:
            services.start_version(course, by=None, starts_on=today + timedelta(days=days))

        assert refused.value.meta == {"latest_starts_on": str(today)}
        assert CourseVersion.objects.filter(course=course).count() == 1


class TestRequisites:
    def test_an_expression_is_kept_in_its_canonical_form(self):
        CourseFactory(code="MA1")
        ProgramFactory(code="BSC")
        leaves = [
            {"course": "MA1", "min_grade": "C+"},
            {"credits": Decimal("12.50")},
            {"credits": "7.0"},
            {"standing": "junior"},
            {"program": "BSC"},
            {"consent": "instructor"},
        ]

        requisite = RequisiteFactory(expr={"all": [{"any": leaves}]})

        leaves[1:3] = [{"credits": "12.5"}, {"credits": "7"}]
        assert requisite.expr == {"all": [{"any": leaves}]}

    def test_writing_the_same_again_changes_nothing(self):
        requisite = RequisiteFactory(expr={"credits": 30})

        services.update_requisite(requisite, by=None, kind="pre", expr={"credits": 30})

        assert requisite.version == 1

    @pytest.mark.parametrize(
        ("expr", "field"),
        [
            ({}, "expr"),
            ([], "expr"),
            (None, "expr"),
            ("CS101", "expr"),
            ({"odd": 1}, "expr"),
            ({"all": []}, "expr.all"),
            ({"any": {"credits": 1}}, "expr.any"),
            ({"all": [{"credits": 1}], "any": [{"credits": 1}]}, "expr"),
            ({"credits": 1, "min_grade": "C"}, "expr"),
            ({"all": [{"credits": 1}, {"credits": "many"}]}, "expr.all.1.credits"),
            ({"credits": -1}, "expr.credits"),
            ({"credits": True}, "expr.credits"),
            ({"credits": 10**5000}, "expr.credits"),
            ({"credits": "1e-300"}, "expr.credits"),
            ({"credits": "NaN"}, "expr.credits"),
            ({"credits": "1.234"}, "expr.credits"),
            ({"credits": [1]}, "expr.credits"),
            ({"course": "x\x00"}, "expr.course"),
            ({"course": "\ud800"}, "expr.course"),
            ({"course": ""}, "expr.course"),
            ({"standing": "x" * 65}, "expr.standing"),
            ({"consent": "my mother"}, "expr.consent"),
        ],
    )
    def test_refuses_what_no_evaluator_expects(self, expr, field):
        with pytest.raises(services.InvalidRequisiteError) as refused:
            RequisiteFactory(expr=expr)

        assert refused.value.field == field
        assert not Requisite.objects.exists()

    def test_refuses_depth_and_size_beyond_reason(self):
        deep: dict = {"credits": 1}
        for _ in range(10):
            deep = {"all": [deep]}

        for expr, words in [(deep, "levels deep"), ({"any": [{"credits": 1}] * 200}, "200 parts")]:
            with pytest.raises(services.InvalidRequisiteError, match=words):
                RequisiteFactory(expr=expr)

    def test_names_every_fault_at_once(self):
        with pytest.raises(DomainError) as refused:
            RequisiteFactory(expr={"all": [{"course": "NONE"}, {"program": "NONE"}, {"odd": 1}]})

        found = {(each.error_code, each.field) for each in refused.value.violations}
        assert found == {
            ("invalid_requisite", "expr.all.2"),
            ("unknown_code", "expr.all.0.course"),
            ("unknown_code", "expr.all.1.program"),
        }

    def test_names_unknown_codes_in_the_order_in_which_they_stand(self):
        with pytest.raises(DomainError) as refused:
            RequisiteFactory(expr={"all": [{"course": f"NONE-{at}"} for at in range(12)]})

        assert [each.field for each in refused.value.violations] == [f"expr.all.{at}.course" for at in range(12)]

    def test_a_course_cannot_require_itself(self):
        course = CourseFactory()

        for kind in ("pre", "anti"):
            with pytest.raises(services.RequisiteCycleError):
                RequisiteFactory(course_version=course.current_version, kind=kind, expr={"course": course.code})

    def test_prerequisites_lead_to_no_cycle_however_long(self):
        courses = [CourseFactory() for _ in range(5)]
        for before, after in itertools.pairwise(courses):
            RequisiteFactory(course_version=after.current_version, expr={"any": [{"course": before.code}]})

        with pytest.raises(services.RequisiteCycleError):
            RequisiteFactory(course_version=courses[0].current_version, expr={"course": courses[4].code})
        # Two courses may well be taken beside each other, or exclude each other.
        RequisiteFactory(course_version=courses[0].current_version, kind="co", expr={"course": courses[4].code})

    def test_a_change_can_close_a_cycle_as_well(self):
        first, second = CourseFactory(), CourseFactory()
        RequisiteFactory(course_version=second.current_version, expr={"course": first.code})
        requisite = RequisiteFactory(course_version=first.current_version, kind="co", expr={"course": second.code})

        with pytest.raises(services.RequisiteCycleError):
            services.update_requisite(requisite, by=None, kind="pre")

        assert Requisite.objects.get(pk=requisite.pk).kind == "co"

    def test_versions_that_never_meet_make_no_cycle(self, today):
        first, second = CourseFactory(), CourseFactory()
        RequisiteFactory(course_version=first.current_version, expr={"course": second.code})
        former = first.current_version
        services.start_version(first, by=None, starts_on=today)
        Requisite.objects.exclude(course_version=former).delete()
        later = services.start_version(second, by=None, starts_on=today)

        RequisiteFactory(course_version=later, expr={"course": first.code})
