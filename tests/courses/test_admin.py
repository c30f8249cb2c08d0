"""The administration pages of the catalogue and the timetable: they open, save by the services, show refusals."""

from datetime import time, timedelta

import pytest
from django.urls import reverse

from accounts.roles import Role, ScopeKind
from courses.models import Course, Meeting, Requisite, Section
from tests.courses.factories import (
    CourseFactory,
    MeetingFactory,
    MeetingSectionFactory,
    RequisiteFactory,
    SectionFactory,
    SectionInstructorFactory,
)
from tests.departments.factories import DepartmentFactory, RoomFactory, TermFactory
from tests.enrollment.factories import EnrollmentFactory

pytestmark = pytest.mark.django_db

# Every inline has a management form, though none of its rows can be changed.
INLINES = {
    f"{prefix}-{name}": "0"
    for prefix in ("versions", "section_instructors", "meeting_sections", "status_events")
    for name in ("TOTAL_FORMS", "INITIAL_FORMS")
}
PAGES = {"course": CourseFactory, "requisite": RequisiteFactory, "section": SectionFactory, "meeting": MeetingFactory}


@pytest.fixture
def pages(client, registrar):
    client.force_login(registrar)
    return client


def url(model, page, *args):
    return reverse(f"admin:courses_{model}_{page}", args=args)


@pytest.mark.parametrize("model", PAGES)
def test_the_pages_open(pages, model):
    row = PAGES[model]()
    if model == "section":
        MeetingSectionFactory(section=row, meeting__room=RoomFactory())
        SectionInstructorFactory(section=row)
        EnrollmentFactory(section=row)

    assert pages.get(f"{url(model, 'changelist')}?q=a").status_code == 200
    assert pages.get(url(model, "changelist")).status_code == 200
    assert pages.get(url(model, "change", row.pk)).status_code == 200
    assert pages.get(url(model, "add")).status_code == 200


def test_sections_are_listed_and_titled_as_people_speak_of_them(pages, django_assert_max_num_queries):
    section = SectionFactory(course__code="CS101", code="01", term__code="2026-FALL")
    for _ in range(8):
        MeetingSectionFactory(section=section, meeting__room=RoomFactory())
        SectionInstructorFactory(section=section, role="co", share="12.50")
        SectionFactory()

    with django_assert_max_num_queries(6):
        pages.get(url("section", "changelist"))
    with django_assert_max_num_queries(20):
        page = pages.get(url("section", "change", section.pk)).content.decode()

    assert "<h2>CS101-01, 2026-FALL</h2>" in page


def test_the_page_before_a_deletion_leaves_what_stands_in_the_way_to_the_service(pages, django_assert_max_num_queries):
    section = SectionFactory(course__code="CS101", code="01", term__code="2026-FALL")
    for _ in range(8):
        EnrollmentFactory(section=section)

    with django_assert_max_num_queries(8):
        asked = pages.get(url("section", "delete", section.pk)).content.decode()
    answer = pages.post(url("section", "delete", section.pk), {"post": "yes"}, follow=True).content.decode()

    assert "CS101-01, 2026-FALL" in asked
    assert "Other records still refer to this one." in answer
    assert Section.objects.filter(pk=section.pk).exists()


def test_a_course_is_added_with_its_first_version(pages):
    body = {"code": "CS101", "title": "Programming", "credits": "6", "department": DepartmentFactory().pk, "level": ""}

    answer = pages.post(url("course", "add"), {**body, "is_active": "on", **INLINES})

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert Course.objects.get().current_version.title == "Programming"


def test_a_course_is_corrected_in_its_version(pages):
    course = CourseFactory()
    shown = pages.get(url("course", "change", course.pk)).context["adminform"].form
    assert shown["title"].value() == course.current_version.title
    body = {"code": course.code, "title": "Coding", "credits": "3.00", "department": course.department_id, "level": ""}

    answer = pages.post(url("course", "change", course.pk), {**body, "is_active": "on", **INLINES})

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    course = Course.objects.get()
    assert (course.current_version.title, course.version) == ("Coding", 2)


def test_a_refusal_stands_beside_its_field(pages):
    course = EnrollmentFactory().course
    body = {"code": course.code, "title": "Coding", "credits": "5", "department": course.department_id, "level": ""}

    answer = pages.post(url("course", "change", course.pk), {**body, "is_active": "on", **INLINES})

    assert answer.status_code == 200
    assert "credits" in answer.context["adminform"].form.errors
    assert Course.objects.get().current_version.credits == 3


def test_a_requisite_is_written_by_the_service(pages):
    version = CourseFactory().current_version

    refused = pages.post(url("requisite", "add"), {"course_version": version.pk, "kind": "pre", "expr": '{"odd": 1}'})
    saved = pages.post(url("requisite", "add"), {"course_version": version.pk, "kind": "pre", "expr": '{"credits": 3}'})

    assert "expr" in refused.context["adminform"].form.errors
    assert saved.status_code == 302
    assert Requisite.objects.get().expr == {"credits": "3"}


def test_a_section_is_added_and_changed(pages):
    course, term = CourseFactory(), TermFactory()
    body = {
        "course": course.pk, "term": term.pk, "code": "01", "mode": "online", "capacity": 5, "override_seats": 0,
        "waitlist_capacity": 0, **INLINES,
    }  # fmt: skip

    added = pages.post(url("section", "add"), body)
    assert added.status_code == 302, added.context["adminform"].form.errors
    section = Section.objects.get()
    EnrollmentFactory(section=section)
    refused = pages.post(url("section", "change", section.pk), {**body, "capacity": 0})

    assert (section.course_version, section.status) == (course.current_version, "planned")
    assert "capacity" in refused.context["adminform"].form.errors


def test_chosen_sections_move_and_the_others_are_named(pages):
    planned, done = SectionFactory(status="planned"), SectionFactory(status="completed")
    body = {"action": "move_to_open", "_selected_action": [planned.pk, done.pk]}

    answer = pages.post(url("section", "changelist"), body, follow=True)

    assert list(Section.objects.order_by("pk").values_list("status", flat=True)) == ["open", "completed"]
    assert "cannot become open" in answer.content.decode()


def test_a_meeting_is_moved_unless_the_room_is_taken(pages):
    room = RoomFactory()
    MeetingFactory(room=room, weekday=2)
    meeting = MeetingSectionFactory(meeting__room=room).meeting
    body = {"weekday": 2, "starts_at": "11:00", "ends_at": "12:00", "room": room.pk, "note": "", **INLINES}

    moved = pages.post(url("meeting", "change", meeting.pk), body)
    refused = pages.post(url("meeting", "change", meeting.pk), {**body, "starts_at": "09:30"})

    assert moved.status_code == 302, moved.context["adminform"].form.errors
    assert "room" in refused.context["adminform"].form.errors
    assert Meeting.objects.get(pk=meeting.pk).starts_at == time(11)


def test_a_meeting_of_sections_is_scheduled_on_the_days_of_their_term_or_on_others(pages):
    section = SectionFactory()
    other, room = SectionFactory(term=section.term), RoomFactory()
    body = {"sections": [section.pk, other.pk], "weekday": 3, "starts_at": "09:00", "ends_at": "10:30", "room": room.pk}
    first, last = section.term.starts_on, section.term.starts_on + timedelta(days=7)

    whole = pages.post(url("meeting", "add"), body)
    part = pages.post(url("meeting", "add"), {**body, "weekday": 4, "starts_on": first, "ends_on": last})

    assert (whole.status_code, part.status_code) == (302, 302)
    of_term, of_week = Meeting.objects.order_by("weekday")
    assert (of_term.dates.lower, of_term.last_day) == (section.term.starts_on, section.term.ends_on)
    assert (of_week.dates.lower, of_week.last_day) == (first, last)
    assert set(of_term.sections.all()) == set(of_week.sections.all()) == {section, other}
    assert of_term.room == room


def test_a_meeting_that_cannot_be_is_refused_beside_the_field(pages):
    section, room = SectionFactory(), RoomFactory()
    elsewhere = SectionFactory()
    MeetingFactory(room=room, weekday=2, dates=(section.term.starts_on, section.term.ends_on))
    body = {"sections": section.pk, "weekday": 2, "starts_at": "09:30", "ends_at": "10:30", "room": room.pk}

    for wrong, field in (
        ({}, "room"),
        ({"sections": [section.pk, elsewhere.pk]}, "sections"),
        ({"sections": ""}, "sections"),
        ({"ends_at": "09:00"}, "__all__"),
        ({"starts_on": section.term.starts_on}, "ends_on"),
        ({"weekday": 8}, "weekday"),
    ):
        refused = pages.post(url("meeting", "add"), {**body, **wrong})
        assert refused.status_code == 200, wrong
        assert field in refused.context["adminform"].form.errors, wrong

    assert Meeting.objects.count() == 1


def test_a_head_schedules_meetings_of_their_own_sections_alone(client, user_with):
    mine = SectionFactory()
    other = SectionFactory(term=mine.term)
    department = mine.course.department_id
    client.force_login(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, department, is_staff=True))
    body = {"weekday": 2, "starts_at": "09:30", "ends_at": "10:30"}

    refused = client.post(url("meeting", "add"), {**body, "sections": [mine.pk, other.pk]})
    added = client.post(url("meeting", "add"), {**body, "sections": mine.pk})

    assert "sections" in refused.context["adminform"].form.errors
    assert added.status_code == 302
    assert set(Meeting.objects.get().sections.all()) == {mine}


def test_a_course_in_use_is_not_deleted(pages):
    course = SectionFactory().course

    answer = pages.post(url("course", "delete", course.pk), {"post": "yes"}, follow=True)

    assert answer.status_code in (200, 403)
    assert Course.objects.filter(pk=course.pk).exists()


def test_a_head_neither_adds_nor_moves_a_course_out_of_their_department(client, user_with):
    mine, other = CourseFactory(), DepartmentFactory()
    client.force_login(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, mine.department_id, is_staff=True))
    body = {"code": "CS101", "title": "Mine now", "credits": "3", "department": other.pk, "is_active": "on", **INLINES}

    for page in (url("course", "add"), url("course", "change", mine.pk)):
        refused = client.post(page, body)
        assert "outside the scope" in str(refused.context["adminform"].form.errors)

    assert [course.department_id for course in Course.objects.all()] == [mine.department_id]
    assert client.post(url("course", "add"), {**body, "department": mine.department_id}).status_code == 302


def test_a_requisite_is_given_to_a_version_that_is_found_by_its_course(pages):
    course, other = CourseFactory(code="CS101"), CourseFactory(code="MA200")
    asked = {"app_label": "courses", "model_name": "requisite", "field_name": "course_version", "term": "cs1"}

    offered = pages.get(reverse("admin:autocomplete"), asked).json()["results"]
    page = pages.get(reverse("admin:courses_requisite_add"))

    assert [each["id"] for each in offered] == [str(course.current_version_id)]
    assert page.status_code == 200
    assert str(other.current_version_id) not in page.content.decode()
    assert pages.get(reverse("admin:courses_courseversion_changelist")).status_code == 200
    assert pages.get(reverse("admin:courses_courseversion_change", args=[course.current_version_id])).status_code == 200
    assert pages.get(reverse("admin:courses_courseversion_add")).status_code == 403
