"""The page on which a class is marked, in a real browser and without one: what it saves, and what it tells."""

import pytest
from django.urls import reverse
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from accounts.models import Person
from accounts.roles import Role
from attendance import services
from attendance.models import AttendanceRecord, ClassSession
from audit.models import Disclosure, Event
from enrollment.models import Enrollment
from students.models import Student
from tests.attendance.factories import AttendanceRecordFactory, ClassSessionFactory, usual_codes
from tests.browser import browser
from tests.courses.factories import SectionInstructorFactory
from tests.enrollment.factories import EnrollmentFactory

__all__ = ["browser"]

STROKES = 10
PATIENCE = 30
NAMES = [("Lovelace", "Ada"), ("Noether", "Emmy"), ("Gödel", "Kurt")]


def crowd(section, size):
    """Enrol three who have names, and so many others that the class has a size."""
    section.capacity = size
    section.save()
    names = [*NAMES, *((f"Miller{number:02}", "Pat") for number in range(size - len(NAMES)))]
    people = Person.objects.bulk_create(Person(last_name=last, first_name=first) for last, first in names)
    students = Student.objects.bulk_create(
        Student(person=person, student_no=f"S{number:04}", department=section.course.department)
        for number, person in enumerate(people)
    )
    return Enrollment.objects.bulk_create(
        Enrollment(student=student, section=section, course=section.course, term=section.term, credits=3)
        for student in students
    )


@pytest.fixture
def lesson(user_with, client):
    """A session that has begun, the account of its teacher, and a client in which they have logged in."""
    taught = SectionInstructorFactory()
    usual_codes()
    session = ClassSessionFactory(section=taught.section)
    session.teacher = user_with(Role.FACULTY, "self", person=taught.faculty.person, is_staff=True)
    client.force_login(session.teacher)
    session.page = reverse("admin:attendance_roster_mark", args=[session.pk])
    return session


def marked(session):
    records = AttendanceRecord.objects.filter(session=session)
    return dict(records.values_list("enrollment__student__person__last_name", "code__code"))


def seen(client, page):
    return client.get(page).context_data["seen"]


@pytest.mark.needs("chromium", "chromium-driver")
@pytest.mark.django_db(transaction=True)
def test_sixty_students_two_of_whom_are_missing_take_fewer_than_ten_strokes(
    browser, live_server, client, lesson, tmp_path
):
    first, *_ = crowd(lesson.section, 60)
    browser.get(f"{live_server.url}/admin/login/")
    browser.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value})
    browser.get(f"{live_server.url}{lesson.page}")
    browser.complaints()

    def strike(*keys):
        for key in keys:
            browser.switch_to.active_element.send_keys(key)
        return len(keys)

    def until_told(text):
        waiting = WebDriverWait(browser, PATIENCE, ignored_exceptions=[StaleElementReferenceException])
        waiting.until(lambda _: text in browser.find_element(By.CSS_SELECTOR, ".messagelist").text)
        waiting.until(lambda _: browser.execute_script("return document.activeElement.id") == "sheet-find")
        waiting.until(lambda _: browser.execute_script("return document.readyState") == "complete")

    strokes = strike("l", "o", Keys.ENTER, "g", "o", Keys.ENTER)
    browser.save_screenshot(str(tmp_path / "marking.png"))
    assert "58 present" in browser.find_element(By.ID, "sheet-counts").text
    strokes += strike(Keys.ENTER, Keys.ENTER)

    until_told("Saved: 58 present, 2 absent.")
    assert strokes < STROKES
    codes = marked(lesson)
    assert {name for name, code in codes.items() if code == "absent"} == {"Lovelace", "Gödel"}
    assert len(codes) == 60
    assert set(AttendanceRecord.objects.values_list("source", "marked_by")) == {("manual", lesson.teacher.pk)}

    # Somebody else marks meanwhile: nothing is saved, and both are shown.
    strike("n", "o", Keys.ARROW_RIGHT, Keys.ENTER)
    services.mark_roster(
        ClassSession.objects.get(pk=lesson.pk), marks=[services.Mark(enrollment=first.pk, code="late")], by=None,
        at=lesson.ends_at,
    )  # fmt: skip
    strike(Keys.ENTER, Keys.ENTER)
    until_told("somebody else has changed this sheet")
    assert "on the sheet: Present" in browser.find_element(By.CSS_SELECTOR, ".sheet-line.is-changed").text
    browser.save_screenshot(str(tmp_path / "stale.png"))
    assert (marked(lesson)["Noether"], marked(lesson)["Lovelace"]) == ("present", "late")
    assert browser.complaints() == []


@pytest.mark.django_db
class TestWithoutABrowser:
    def test_the_sheet_is_closed_and_opened_again_and_who_was_shown_is_on_record(self, client, lesson):
        ada, emmy, kurt = crowd(lesson.section, 3)
        excused = AttendanceRecordFactory(session=lesson, enrollment=kurt, code=usual_codes().excused, source="excuse")
        body = {
            "seen": seen(client, lesson.page),
            "default": "present",
            f"mark-{ada.pk}": "late",
            f"late-{ada.pk}": "7",
        }

        closed = client.post(lesson.page, {**body, "step": "close"}, follow=True)

        assert "Saved and closed: " in closed.content.decode()
        assert marked(lesson) == {"Lovelace": "late", "Noether": "present", "Gödel": "excused"}
        assert AttendanceRecord.objects.get(enrollment=ada).minutes_late == 7
        assert AttendanceRecord.objects.get(enrollment=kurt).marked_at == excused.marked_at
        reopened = {"seen": seen(client, lesson.page), "step": "open", "reason": "Mixed up"}
        again = client.post(lesson.page, reopened, follow=True)
        assert "open again" in again.content.decode()
        assert set(Disclosure.objects.values_list("subject_id", flat=True)) == {
            row.student.person_id for row in (ada, emmy, kurt)
        }

    @pytest.mark.parametrize("given", [{}, {"reason": ""}, {"reason": "  "}])
    def test_the_page_opens_no_closed_sheet_without_a_reason(self, client, lesson, given):
        ClassSession.objects.filter(pk=lesson.pk).update(marking="closed")

        refused = client.post(lesson.page, {"seen": seen(client, lesson.page), "step": "open", **given}, follow=True)

        assert "Say why a closed sheet is opened again." in refused.content.decode()
        lesson.refresh_from_db()
        assert (lesson.marking, lesson.lock_note) == ("closed", "")

    def test_without_a_default_nobody_is_marked_who_is_not_named_and_faults_are_told(self, client, lesson):
        ada, emmy, _ = crowd(lesson.section, 3)
        read = seen(client, lesson.page)

        def post(**body):
            return client.post(lesson.page, {"seen": read, "step": "save", **body}, follow=True).content.decode()

        assert "There is no such attendance code" in post(**{f"mark-{ada.pk}": "mood"})
        assert "whole number" in post(**{f"mark-{ada.pk}": "late", f"late-{ada.pk}": "²"})
        assert marked(lesson) == {}
        assert "2 not marked" in post(**{f"mark-{ada.pk}": "absent"})
        assert marked(lesson) == {"Lovelace": "absent"}
        assert "somebody else has changed" in post(**{f"mark-{emmy.pk}": "absent"})

    @pytest.mark.parametrize("step", ["x" * 70, "deleted", ""])
    def test_what_the_page_does_not_do_saves_nothing_and_is_not_put_on_record(self, client, lesson, step):
        crowd(lesson.section, 3)
        body = {"seen": seen(client, lesson.page), "default": "present", "step": step}
        before = Event.objects.count()

        answer = client.post(lesson.page, body)

        assert (answer.status_code, marked(lesson), Event.objects.count()) == (200, {}, before)
        assert "Nothing was saved" in answer.content.decode()

    def test_whoever_does_not_teach_it_finds_no_sheet_and_whoever_only_reads_saves_nothing(
        self, client, lesson, user_with
    ):
        EnrollmentFactory(section=lesson.section)
        read = seen(client, lesson.page)
        other = SectionInstructorFactory().faculty.person

        client.force_login(user_with(Role.FACULTY, "self", person=other, is_staff=True))
        assert client.get(lesson.page).status_code == 404
        client.force_login(user_with(Role.AUDITOR, is_staff=True))
        assert "sheet-find" not in client.get(lesson.page).content.decode()
        assert client.post(lesson.page, {"seen": read, "default": "present"}).status_code == 403
        assert marked(lesson) == {}
