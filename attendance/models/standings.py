"""Enrolments, as those see them who may know how often a student was there."""

from enrollment.models import Enrollment


class Standing(Enrollment):
    """How often the student of an enrolment was there: it is computed of marks and sessions, and stored nowhere."""

    class Meta:
        proxy = True
