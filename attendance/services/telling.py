"""Telling students, and whoever advises them, that attendance falls short or no longer does."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import User
from attendance.topics import ADVISEE_SHORTAGE, SHORTAGE
from enrollment.models import Enrollment
from notifications.services import notify
from notifications.topics import Topic

PAGE = "/attendance/enrollments/{}"
# By topic, and by whether somebody falls short now: title and text. An advisor is not told by name who it is, which the
# page says to those who may see it.
SAID: dict[tuple[Topic, bool], tuple[str, str]] = {
    (SHORTAGE, True): (
        "Your attendance in {section} falls short",
        "By your attendance in {section} you fall short of the {share} that are asked for.",
    ),
    (SHORTAGE, False): (
        "Your attendance in {section} is enough again",
        "By your attendance in {section} you no longer fall short of the {share} that are asked for.",
    ),
    (ADVISEE_SHORTAGE, True): (
        "A student whom you advise falls short of attendance",
        "By their attendance in {section} a student whom you advise falls short of the {share} that are asked for.",
    ),
    (ADVISEE_SHORTAGE, False): (
        "A student whom you advise attends enough again",
        "By their attendance in {section} a student whom you advise attends the {share} again that are asked for.",
    ),
}


@transaction.atomic
def tell_of_crossing(
    enrollment_id: UUID, *, is_short: bool, threshold: str, happened_at: datetime, at: datetime
) -> int:
    """Tell a student, and their advisor, of a threshold that was crossed; return how many were told.

    A crossing is told once, however often this is asked for.
    """
    columns = ("student__person", "student__advisor", "course__code", "section__code")
    found = Enrollment.objects.filter(pk=enrollment_id).values_list(*columns).first()
    if found is None:
        return 0
    student, advisor, course, section = found
    accounts = dict(User.objects.filter(person__in=[student, advisor]).values_list("person", "pk"))
    told = 0
    for person, topic in ((student, SHORTAGE), (advisor, ADVISEE_SHORTAGE)):
        title, text = SAID[topic, is_short]
        words = {"section": f"{course}-{section}", "share": f"{threshold} %"}
        told += notify(
            users=[accounts[person]] if person in accounts else [],
            topic=topic,
            title=title.format(**words),
            text=text.format(**words),
            link=PAGE.format(enrollment_id),
            dedupe_key=f"attendance.crossing:{enrollment_id}:{is_short}:{happened_at.isoformat()}",
            at=at,
        )
    return told
