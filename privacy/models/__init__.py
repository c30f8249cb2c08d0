"""What was asked about the data of people.

accounts.Person 1 --- * SubjectExport * --- 1 accounts.User, who asked for it
accounts.Person 1 --- * ErasureRequest
accounts.Person 1 --- * LegalHold, which keeps both erasure and retention from touching them
"""

from privacy.models.erasures import ErasureRequest, ErasureState
from privacy.models.exports import ExportState, SubjectExport
from privacy.models.holds import LegalHold, held_people, same_people

__all__ = ["ErasureRequest", "ErasureState", "ExportState", "LegalHold", "SubjectExport", "held_people", "same_people"]
