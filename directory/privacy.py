"""What the directory says about people."""

from core.privacy import impersonal
from directory.models import DirectoryEntry

impersonal(DirectoryEntry, person="A view of the records of students and faculty, which are told as what they are.")
