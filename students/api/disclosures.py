"""Who was shown a student's record: for the student, and for those who answer for the record (34 CFR 99.32(c))."""

from audit.api.filters import DisclosureFilter
from audit.api.serializers import DisclosureSerializer
from audit.models import Disclosure
from core.api.nested import NestedListViewSet
from students.models import Student


class DisclosuresOfStudentViewSet(NestedListViewSet[Disclosure]):
    """Who was shown the student's record, what of it, when and on what basis."""

    queryset = Disclosure.objects.all()
    parents = Student.objects.all()
    parent_key = "person_id"
    parent_field = "subject_id"
    list_serializer_class = DisclosureSerializer
    filterset_class = DisclosureFilter
    ordering_fields = {"id": "id"}
    default_ordering = ("-id",)
