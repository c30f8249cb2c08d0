"""Everything that changes people, accounts, roles and sessions."""

from accounts.services.guesses import purge_guess_counts
from accounts.services.identifiers import (
    IdentifierValues,
    ReasonMissingError,
    ReasonTellsValueError,
    create_identifier,
    delete_identifier,
    reveal_identifier,
    update_identifier,
)
from accounts.services.login import authenticate, log_in
from accounts.services.mails import LinkNotGoodError, purge_account_mails, send_mail
from accounts.services.passwords import (
    Continued,
    change_password,
    continue_session,
)
from accounts.services.people import PersonValues, create_person, delete_person, update_person
from accounts.services.recovery import request_password_reset, reset_password
from accounts.services.roles import (
    NoSuchUnitError,
    RoleAssignmentValues,
    assign_role,
    end_assignment,
    update_assignment,
)
from accounts.services.sessions import (
    InvalidCredentialsError,
    InvalidRefreshError,
    Tokens,
    end_sessions,
    lock_users,
    log_out,
    open_session,
    outdate_tokens,
    purge_admin_sessions,
    purge_sessions,
    refresh_session,
)
from accounts.services.signing_keys import (
    NextKeyTooYoungError,
    NoSuchKeyError,
    issue_access,
    revoke_signing_key,
    rotate_signing_key,
)
from accounts.services.users import (
    UserValues,
    create_administrator,
    create_demo_user,
    create_user,
    deactivate_user,
    set_demo_password,
    update_user,
)

__all__ = [
    "Continued",
    "IdentifierValues",
    "InvalidCredentialsError",
    "InvalidRefreshError",
    "LinkNotGoodError",
    "NextKeyTooYoungError",
    "NoSuchKeyError",
    "NoSuchUnitError",
    "PersonValues",
    "ReasonMissingError",
    "ReasonTellsValueError",
    "RoleAssignmentValues",
    "Tokens",
    "UserValues",
    "assign_role",
    "authenticate",
    "change_password",
    "continue_session",
    "create_administrator",
    "create_demo_user",
    "create_identifier",
    "create_person",
    "create_user",
    "deactivate_user",
    "delete_identifier",
    "delete_person",
    "end_assignment",
    "end_sessions",
    "issue_access",
    "lock_users",
    "log_in",
    "log_out",
    "open_session",
    "outdate_tokens",
    "purge_account_mails",
    "purge_admin_sessions",
    "purge_guess_counts",
    "purge_sessions",
    "refresh_session",
    "request_password_reset",
    "reset_password",
    "reveal_identifier",
    "revoke_signing_key",
    "rotate_signing_key",
    "send_mail",
    "set_demo_password",
    "update_assignment",
    "update_identifier",
    "update_person",
    "update_user",
]
