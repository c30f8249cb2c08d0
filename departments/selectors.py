"""What other apps ask about the shape of the university."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from departments.models import Department


def below(ids: Iterable[UUID], *, path: str = "department") -> Q:
    """Match rows whose `path` leads into one of the departments or into what lies below them."""
    return Q(**{f"{path}__in": Department.objects.within(ids).values("pk")})
