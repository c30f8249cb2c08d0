"""The form that a file comes in."""

from django.http.multipartparser import MultiPartParser as FormReader

from core.api.uploads import WholeFormParser
from files.names import require_name


class _NamesAsSent(FormReader):
    """Reads forms and leaves the names of files as they are, where Django would repair them in silence."""

    def sanitize_file_name(self, file_name: str) -> str:
        require_name(file_name)
        return file_name


class FileFormParser(WholeFormParser):
    """Reads the form of an upload; a name that cannot be kept as it was sent is refused."""

    reader = _NamesAsSent
