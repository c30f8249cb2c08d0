"""What departments say about people."""

from core.privacy import impersonal, personal
from departments.models import Appointment, TermStateEvent

personal(
    Appointment,
    says="The offices that you hold or held in departments.",
    kept="For good: who held an office is part of the university's history.",
    paths=("person",),
    keeps="department role valid",
)
impersonal(TermStateEvent, actor="Who moved the term, in the course of their work.")
