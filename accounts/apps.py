"""Who can log in, who they are as people, and what they may do. Stands on core alone."""

from django.apps import AppConfig

# What of a person changes without their name.
DETAILS = [
    *("email", "phone", "birth_date", "gender", "nationality", "merged_into_id", "search_text"),
    *("version", "updated_at"),
]


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from accounts import subscribers, visibility  # noqa: F401 - register themselves
        from accounts.assignments import holders_of
        from audit.tracking import leave_out, read_by, withhold
        from core.cache import tags

        leave_out("Counts of wrong passwords, which are events.", "accounts.GuessCount")
        leave_out("Log-ins that wait for a second factor.", "accounts.PendingLogIn")
        leave_out("Log-ins that are under way elsewhere.", "accounts.FederatedLogIn")
        leave_out("Log-ins, whose beginning, end and misuse are events.", "accounts.Session")
        leave_out("Mails to owners, whose causes and effects are events.", "accounts.AccountMail")
        leave_out("When keys were last used.", "accounts.ApiKeyUse")
        withhold("accounts.User", "password")
        read_by(lambda: holders_of("audit.view_change"))
        tags.leave_out("Counts and queues.", "accounts.GuessCount", "accounts.AccountMail", "accounts.ApiKeyUse")
        tags.leave_out("Log-ins that are not complete.", "accounts.PendingLogIn", "accounts.FederatedLogIn")
        # Who calls: an account, its log-ins and the roles it holds, by the account; and the keys that sign tokens.
        tags.moves("account", "accounts.User", by="id")
        tags.moves("account", "accounts.Session", by="user_id")
        tags.moves("account", "accounts.RoleAssignment", by="user_id")
        tags.moves("signing-keys", "accounts.SigningKey")
        # Departments and sections show the names of people, and nothing else of them.
        tags.set_apart("details", "accounts.Person", columns=DETAILS)
