"""Files that people upload, and the records that refer to them. Stands on privacy, accounts and audit."""

from django.apps import AppConfig


class FilesConfig(AppConfig):
    name = "files"
    verbose_name = "Files"

    def ready(self) -> None:
        from audit.tracking import leave_out
        from core.cache import tags
        from core.customfields import appoint_file_keeper, register_file_resolver
        from files import subscribers, visibility  # noqa: F401 - register themselves
        from files.selectors import may_refer
        from files.services import LINKS

        leave_out("How far an upload has come; the file that it becomes has a history.", "files.FileUpload")
        tags.leave_out("It changes with every part, and its owner alone asks for it.", "files.FileUpload")
        register_file_resolver(may_refer)
        appoint_file_keeper(LINKS)
