"""Emptying what imported files said of somebody in rows that never became a record, and so belong to none."""

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from accounts.models import Person, User
from core.privacy import Subject
from interop.models import ImportRow
from interop.sources.records import SEPARATOR, compose
from students.models import Student

# Of their rows, the natural key begins with the student number.
OF_STUDENTS = ("enrollments", "attendance")

NOTHING = {
    "natural_key": "", "external_id": "", "raw": {}, "values": {}, "initial": {}, "reasons": [], "notes": [],
}  # fmt: skip


def empty_refused_rows(subject: Subject, *, dry_run: bool) -> int:
    """Empty refused rows that name somebody by an address or by their student number; return how many."""
    addresses = {
        *Person.objects.filter(pk__in=subject.people).exclude(email="").values_list("email", flat=True),
        *User.objects.filter(person__in=subject.people).values_list("email", flat=True),
    }
    numbers = list(Student.objects.filter(person__in=subject.people).values_list("student_no", flat=True))
    named = Q(natural_key__in=numbers)
    for number in numbers:
        named |= Q(resource__in=OF_STUDENTS, natural_key__startswith=f"{compose(number)}{SEPARATOR}")
    for address in addresses:
        named |= Q(said__icontains=address)
    rows = ImportRow.objects.alias(said=Cast("raw", TextField())).filter(named, object_id=None).exclude(raw={})
    found = list(rows.values_list("pk", flat=True))
    return len(found) if dry_run else ImportRow.objects.filter(pk__in=found).update(**NOTHING)
