"""Where the files of exports lie: outside of the database and its backups, encrypted as protected columns are."""

from core.prepared import Shelf
from privacy.models import SubjectExport

SHELF = Shelf(SubjectExport, "privacy_export")
root, opened = SHELF.root, SHELF.opened
