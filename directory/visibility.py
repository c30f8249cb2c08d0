"""Sight of the directory: whoever may ask for it finds everybody in it. Who is in it, the view decides."""

from typing import Any

from django.db.models import Q

from core.visibility import grants
from directory.models import DirectoryEntry


@grants(DirectoryEntry)
def everybody_who_may_finds_those_in_the_directory(actor: Any) -> Q | None:
    return Q() if actor.has_perm("directory.view_directoryentry") else None
