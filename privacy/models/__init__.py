"""What was asked about the data of people.

accounts.Person 1 --- * SubjectExport * --- 1 accounts.User, who asked for it
"""

from privacy.models.exports import ExportState, SubjectExport

__all__ = ["ExportState", "SubjectExport"]
