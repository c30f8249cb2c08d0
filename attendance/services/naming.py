"""In which sessions somebody may be named where it says why they were moved or cancelled, or why a sheet changed."""

from django.db.models import Q

from attendance.models import ClassSession, Substitution
from attendance.services.generation import OFF
from core.privacy import Subject
from courses.models import SectionInstructor
from enrollment.models import Enrollment


def sessions_that_may_name(subject: Subject) -> Q:
    """Match the sessions of which a person may be named where it says why: who fell ill, who was mixed up with whom.

    These are the classes that the person took or taught, or was asked to teach, with all that gather there: they are
    moved for one reason. What the timetable says of a session that it took off names nobody, and is how it finds the
    session again.
    """
    taken = Enrollment.objects.filter(student__person__in=subject.people).values("section")
    taught = SectionInstructor.objects.filter(faculty__person__in=subject.people).values("section")
    people = Q(substitute__person__in=subject.people) | Q(instructor__person__in=subject.people)
    asked = Substitution.objects.filter(people).values("session")
    theirs = Q(section__in=taken) | Q(section__in=taught) | Q(pk__in=asked) | Q(substitute__person__in=subject.people)
    gathered = ClassSession.objects.filter(theirs).values("gathering")
    return Q(gathering__in=gathered) & ~Q(note=OFF, changed_by_hand=False)
