"""What the schedule does for the catalogue."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.models import Chore
from courses import services, tasks
from courses.models import Course
from tests.courses.factories import CourseFactory
from tests.locks import held_elsewhere


def begun_meanwhile() -> Course:
    """Return a course with a version whose first day has come since it was begun."""
    course = CourseFactory()
    today = timezone.localdate()
    begun = services.start_version(course, by=None, starts_on=today + timedelta(days=1))
    begun.valid = begun.valid.__class__(today, None, "[)")
    former = course.versions.exclude(pk=begun.pk).get()
    former.valid = former.valid.__class__(former.valid.lower, today, "[)")
    former.save()
    begun.save()
    return course


@pytest.mark.django_db
def test_the_version_whose_day_has_come_is_adopted_once() -> None:
    course = begun_meanwhile()

    tasks.adopt_course_versions()
    assert Chore.objects.get().count == 1
    tasks.adopt_course_versions()

    assert Chore.objects.get().count == 0
    assert Course.objects.get(pk=course.pk).current_version == course.versions.order_by("-valid").first()


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_gives_way() -> None:
    course = begun_meanwhile()
    before = Course.objects.get(pk=course.pk).current_version

    with held_elsewhere("courses.adopt_versions", ""):
        tasks.adopt_course_versions()
        assert Course.objects.get(pk=course.pk).current_version == before
        # A version that begins today is adopted on its own.
        services.start_version(CourseFactory(), by=None, starts_on=timezone.localdate())

    tasks.adopt_course_versions()
    assert Course.objects.get(pk=course.pk).current_version != before
