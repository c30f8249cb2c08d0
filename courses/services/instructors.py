"""What changes who teaches a section."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TypedDict

from core import crud
from core.errors import ConflictError, InvalidError
from courses.models import InstructorRole, Section, SectionInstructor
from faculty.models import Faculty

WHOLE = Decimal(100)
CENT = Decimal("0.01")


class InstructorItem(TypedDict, total=False):
    faculty: Faculty
    role: str
    share: Decimal


class SharesNot100Error(InvalidError):
    """The instructors of a section would not carry exactly all of it."""

    code = "shares_not_100"
    title = "The shares of a section's instructors are 100 per cent together."
    field = "instructors"


class DuplicateInstructorError(ConflictError):
    """An instructor is named twice."""

    code = "duplicate_instructor"
    title = "An instructor is named once."
    field = "instructors"


class SecondPrimaryInstructorError(ConflictError):
    """Two instructors would be the primary one."""

    code = "second_primary_instructor"
    title = "A section has one primary instructor."
    field = "instructors"


def set_instructors(section: Section, items: Sequence[InstructorItem]) -> bool:
    """Let exactly these teach a section; say whether that changed anything.

    Without roles the first is the primary instructor; without shares all carry the same.
    """
    wanted = {item["faculty"].pk: item for item in sound_instructors(items)}
    present = {row.faculty_id: row for row in SectionInstructor.objects.filter(section=section)}
    same = {faculty_id: {"role": row.role, "share": row.share} for faculty_id, row in present.items()}
    if same == {faculty_id: {"role": i["role"], "share": i["share"]} for faculty_id, i in wanted.items()}:
        return False
    # The former primary instructor goes before the next one comes.
    SectionInstructor.objects.filter(section=section).delete()
    for item in wanted.values():
        crud.create(SectionInstructor, {"section": section, **item})
    return True


def sound_instructors(items: Sequence[InstructorItem]) -> list[InstructorItem]:
    """Return the instructors of a section with the roles and shares that were left out.

    Raises `DuplicateInstructorError`, `SecondPrimaryInstructorError` or `SharesNot100Error`.
    """
    whole = _completed(items)
    if len({item["faculty"].pk for item in whole}) < len(items):
        raise DuplicateInstructorError
    if sum(item["role"] == InstructorRole.PRIMARY for item in whole) > 1:
        raise SecondPrimaryInstructorError
    if whole and sum(item["share"] for item in whole) != WHOLE:
        raise SharesNot100Error
    return whole


def _completed(items: Sequence[InstructorItem]) -> list[InstructorItem]:
    """Fill in the roles and shares that are not given."""
    has_roles = any("role" in item for item in items)
    even = _even_shares(len(items)) if not any("share" in item for item in items) else []
    completed: list[InstructorItem] = []
    for index, item in enumerate(items):
        first = InstructorRole.PRIMARY if index == 0 and not has_roles else InstructorRole.CO
        share = even[index] if even else item.get("share", Decimal(0))
        completed.append({"faculty": item["faculty"], "role": item.get("role", first), "share": share})
    return completed


def _even_shares(count: int) -> list[Decimal]:
    """Part 100 per cent into equal shares; what rounding leaves over goes to the first."""
    if not count:
        return []
    share = (WHOLE / count).quantize(CENT)
    return [WHOLE - share * (count - 1), *[share] * (count - 1)]
