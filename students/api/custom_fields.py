"""HTTP for the custom fields of a student."""

from core.customfields.api.of_record import CustomFieldsOfRecordViewSet
from core.recording import Disclosure
from students.models import Student


class CustomFieldsOfStudentViewSet(CustomFieldsOfRecordViewSet):
    """The fields that the university added to its students, each with what this one holds in it."""

    queryset = CustomFieldsOfRecordViewSet.queryset
    parents = Student.objects.all()
    owner = "person_id"
    discloses = Disclosure("student record", "owner_id")
    action_permissions = {"list": "students.view_student"}
