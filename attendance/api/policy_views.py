"""HTTP for the policies by which attendance is judged."""

from attendance import services
from attendance.api.policy_serializers import AttendancePolicySerializer, AttendancePolicyWriter
from attendance.models import AttendancePolicy, Basis
from core.api import filters
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud


class AttendancePolicyFilter(filters.StrictFilterSet):
    department = filters.UUIDFilter(field_name="department_id")
    program = filters.UUIDFilter(field_name="program_id")
    course = filters.UUIDFilter(field_name="course_id")
    section = filters.UUIDFilter(field_name="section_id")
    basis = filters.ChoiceFilter(choices=Basis.choices)
    on = filters.DateFilter(field_name="valid", lookup_expr="contains", help_text="In force on that day.")

    class Meta:
        model = AttendancePolicy
        fields = ["department", "program", "course", "section", "basis", "on"]


class AttendancePolicyViewSet(UnifiedViewSet[AttendancePolicy]):
    """By which rule attendance is judged: for whom, and in the terms that begin on which days."""

    queryset = AttendancePolicy.objects.all()
    crud = Crud(create=services.create_policy, update=services.update_policy, delete=services.delete_policy)
    list_serializer_class = AttendancePolicySerializer
    write_serializer_class = AttendancePolicyWriter
    filterset_class = AttendancePolicyFilter
    ordering_fields = {"threshold": "threshold", "created_at": "created_at"}
    default_ordering = ("-created_at",)
