"""Who teaches a class: those who teach its section, but for the one in whose place somebody else does.

Generation, rescheduling and substitution all ask here, so that none of them undoes what another has settled.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from attendance.models import SessionStatus, Substitution, SubstitutionStatus
from courses.models import InstructorRole, SectionInstructor
from faculty.models import Faculty

TEACHERS = (InstructorRole.PRIMARY, InstructorRole.CO)


def teachers_of(gatherings: Mapping[UUID, Collection[UUID]]) -> dict[UUID, set[UUID]]:
    """Return who teaches at each gathering, by the sections that gather there, in two statements.

    Whoever teaches two sections that gather is wanted until they are replaced in both. A cancelled session has no
    substitute; its teacher, who was replaced, is not wanted for it again.
    """
    named = {section for sections in gatherings.values() for section in sections}
    usual: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for row in SectionInstructor.objects.filter(section__in=named, role__in=TEACHERS):
        usual[row.section_id].add(row.faculty_id)
    accepted = Substitution.objects.filter(session__section__in=named, status=SubstitutionStatus.ACCEPTED)
    columns = ("session__gathering", "session__section", "session__status", "instructor", "substitute")
    replaced: defaultdict[tuple[UUID, UUID], set[UUID]] = defaultdict(set)
    standing_in: defaultdict[tuple[UUID, UUID], set[UUID]] = defaultdict(set)
    for gathering, section, status, instructor, substitute in accepted.values_list(*columns):
        replaced[gathering, section].add(instructor)
        if status == SessionStatus.SCHEDULED:
            standing_in[gathering, section].add(substitute)
    return {
        gathering: {
            each
            for section in sections
            for each in (usual[section] - replaced[gathering, section]) | standing_in[gathering, section]
        }
        for gathering, sections in gatherings.items()
    }


def faculty_in_order(ids: Iterable[UUID]) -> Iterable[Faculty]:
    """Return members of the faculty in the order in which everybody wants them."""
    return Faculty.objects.filter(pk__in=list(ids)).order_by("pk")
