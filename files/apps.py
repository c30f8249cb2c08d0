"""Files that people upload, and the records that refer to them. Stands on privacy, accounts and audit."""

from django.apps import AppConfig


class FilesConfig(AppConfig):
    name = "files"
    verbose_name = "Files"

    def ready(self) -> None:
        from core.customfields import appoint_file_keeper, register_file_resolver
        from files import subscribers, visibility  # noqa: F401 - register themselves
        from files.selectors import may_refer
        from files.services import LINKS

        register_file_resolver(may_refer)
        appoint_file_keeper(LINKS)
