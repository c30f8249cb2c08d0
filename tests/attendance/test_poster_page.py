"""The page for the projector: it shows the code of the moment, and none when nobody checks in."""

import json
from zoneinfo import ZoneInfo

import pytest
import segno
from django.urls import reverse
from django.utils import timezone
from selenium.webdriver.common.by import By

from accounts.roles import Role
from attendance import services
from attendance.models import CheckInEvent, CheckInWindow, ClassSession
from tests.attendance.factories import CheckInEventFactory, ClassSessionFactory, usual_codes
from tests.browser import browser
from tests.courses.factories import SectionInstructorFactory
from tests.departments.factories import CampusFactory, RoomFactory
from tests.enrollment.factories import EnrollmentFactory

__all__ = ["browser"]


@pytest.fixture
def lesson(user_with, client):
    """A session that has begun, and a client in which its teacher has logged in."""
    taught = SectionInstructorFactory()
    usual_codes()
    session = ClassSessionFactory(section=taught.section, starts_at=timezone.now())
    client.force_login(user_with(Role.FACULTY, "self", person=taught.faculty.person, is_staff=True))
    session.page = reverse("admin:attendance_roster_check_in", args=[session.pk])
    session.code = reverse("admin:attendance_roster_code", args=[session.pk])
    return session


@pytest.mark.needs("chromium", "chromium-driver")
@pytest.mark.django_db(transaction=True)
def test_a_teacher_opens_the_check_in_and_the_page_counts_who_came(browser, live_server, client, lesson, tmp_path):
    browser.get(f"{live_server.url}/admin/login/")
    browser.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value})
    browser.get(f"{live_server.url}{lesson.page}")
    browser.complaints()
    assert not browser.find_element(By.ID, "poster-image").is_displayed()

    browser.find_element(By.CSS_SELECTOR, "button[value=open]").click()
    shown = browser.find_element(By.CSS_SELECTOR, "#poster-image:not([hidden])").get_attribute("src")
    CheckInEventFactory(session=lesson, outcome="accepted")
    browser.execute_script("return ask()")

    assert shown.startswith("data:image/svg+xml")
    assert browser.find_element(By.ID, "poster-count").text == "1"
    browser.save_screenshot(str(tmp_path / "poster.png"))
    browser.find_element(By.CSS_SELECTOR, "button[value=close]").click()
    browser.find_element(By.CSS_SELECTOR, "button[value=open]")
    assert browser.find_element(By.ID, "poster-closed").is_displayed()
    assert browser.complaints() == []


@pytest.mark.django_db
def test_the_picture_says_the_token_and_changes_with_it(client, lesson):
    now = timezone.now()
    services.open_check_in(lesson, by=None, at=now)
    before = services.poster(lesson, by=None, at=now).token.token

    state = json.loads(client.get(lesson.code).content)

    after = services.poster(lesson, by=None, at=timezone.now()).token.token
    pictures = [segno.make(token, error="m", micro=False).svg_data_uri(scale=10, border=2, light="#fff")
                for token in (before, after)]  # fmt: skip
    assert state["image"] in pictures
    assert 0 < state["seconds"] <= 10.5
    services.close_check_in(lesson, by=None, at=timezone.now())
    assert json.loads(client.get(lesson.code).content)["image"] == ""


@pytest.mark.django_db
def test_the_wall_names_the_course_and_the_time_at_the_campus(client, lesson):
    campus = CampusFactory(time_zone="Asia/Kolkata")
    ClassSession.objects.filter(pk=lesson.pk).update(room=RoomFactory(building__campus=campus))
    closes_at = services.open_check_in(lesson, by=None, at=timezone.now()).closes_at

    page = client.get(lesson.page).content.decode()

    assert f">{lesson.section.course_version.title} ·" in page
    assert f"Open until {closes_at.astimezone(ZoneInfo(campus.time_zone)):%H:%M}." in page


@pytest.mark.django_db
def test_what_cannot_be_opened_is_told_and_who_does_not_mark_it_sees_no_code(client, lesson, user_with):
    opened = {"step": "open", "minutes": "15", "networks": "10.20.0.0/16, here"}

    assert "A network is written as" in client.post(lesson.page, opened).content.decode()
    assert "There is no such" not in client.post(lesson.page, {**opened, "minutes": "x"}).content.decode()
    assert not CheckInWindow.objects.exists()
    student = EnrollmentFactory(section=lesson.section).student.person
    client.force_login(user_with(Role.STUDENT, person=student, is_staff=True))
    assert client.get(lesson.code).status_code == 404
    client.force_login(user_with(Role.AUDITOR, is_staff=True))
    assert [client.get(url).status_code for url in (lesson.page, lesson.code)] == [403, 403]
    assert not CheckInEvent.objects.exists()
