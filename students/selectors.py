"""What other apps ask about students."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from students.models import ProgramEnrollment


def in_programs(ids: Iterable[UUID], *, path: str = "pk") -> Q:
    """Match rows whose `path` leads to a student who is, or was, enrolled in one of the programs."""
    enrolled = ProgramEnrollment.objects.filter(program__in=list(ids))
    return Q(**{f"{path}__in": enrolled.values("student")})
