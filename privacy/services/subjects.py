"""Who somebody is: the person, and everybody who was merged into them."""

from uuid import UUID

from accounts.models import Person
from core.errors import MissingError
from core.privacy import Subject, gather


def subject_of(person_id: UUID) -> Subject:
    """Return a person with the ids of all rows about them; raise `MissingError` when there is none."""
    found = list(Person.objects.filter(pk=person_id).values_list("pk", flat=True))
    if not found:
        raise MissingError("There is no such person.", field="person")
    people, newest = list(found), found
    while newest := list(
        Person.objects.filter(merged_into__in=newest).exclude(pk__in=people).values_list("pk", flat=True)
    ):
        people += newest
    return gather(person_id, tuple(people))
