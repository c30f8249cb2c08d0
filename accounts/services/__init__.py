"""Everything that changes people, accounts, roles and sessions."""

from accounts.services.people import PersonValues, create_person, delete_person, update_person
from accounts.services.roles import RoleAssignmentValues, assign_role, end_assignment, update_assignment
from accounts.services.sessions import (
    InvalidCredentialsError,
    InvalidRefreshError,
    Tokens,
    end_sessions,
    log_in,
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
    "InvalidCredentialsError",
    "InvalidRefreshError",
    "NextKeyTooYoungError",
    "NoSuchKeyError",
    "PersonValues",
    "RoleAssignmentValues",
    "Tokens",
    "UserValues",
    "assign_role",
    "create_administrator",
    "create_demo_user",
    "create_person",
    "create_user",
    "deactivate_user",
    "delete_person",
    "end_assignment",
    "end_sessions",
    "issue_access",
    "log_in",
    "log_out",
    "open_session",
    "outdate_tokens",
    "purge_admin_sessions",
    "purge_sessions",
    "refresh_session",
    "revoke_signing_key",
    "rotate_signing_key",
    "set_demo_password",
    "update_assignment",
    "update_person",
    "update_user",
]
