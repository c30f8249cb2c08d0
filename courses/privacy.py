"""What courses say about people."""

from core.privacy import impersonal, personal
from courses.models import SectionInstructor, SectionStatusEvent

personal(
    SectionInstructor,
    says="The sections that you teach or taught.",
    kept="For good: who taught a section is part of its record.",
    paths=("faculty__person",),
    keeps="section role share",
)
impersonal(SectionStatusEvent, actor="Who moved the section, in the course of their work.")
