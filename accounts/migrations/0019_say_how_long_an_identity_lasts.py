from importlib import import_module

from django.db import migrations

former = import_module("accounts.migrations.0012_identify_in_one_plan")

# The same question; the answer says, too, for how many seconds the mere passing of time will not change it.
CREATE = """
CREATE FUNCTION accounts_identify(of_user uuid, of_session uuid, of_key text, at timestamptz)
RETURNS TABLE (account accounts_user, held jsonb, seconds double precision)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN QUERY
    SELECT
        account_row,
        (
            SELECT coalesce(
                jsonb_agg(jsonb_build_object('role', role, 'scope_kind', scope_kind, 'scope_id', scope_id)), '[]'
            )
            FROM accounts_roleassignment
            WHERE user_id = of_user AND valid @> statement_timestamp()
        ),
        least(
            extract(epoch FROM accounts_session.expires_at - at),
            (
                SELECT extract(epoch FROM min(edge) - statement_timestamp())
                FROM accounts_roleassignment
                CROSS JOIN LATERAL (VALUES (lower(valid)), (upper(valid))) AS edges (edge)
                WHERE user_id = of_user AND isfinite(edge) AND edge > statement_timestamp()
            )
        )::double precision
    FROM accounts_user AS account_row
    JOIN accounts_session ON accounts_session.user_id = account_row.id
    WHERE account_row.id = of_user
      AND account_row.is_active
      AND accounts_session.id = of_session
      AND accounts_session.revoked_at IS NULL
      AND accounts_session.expires_at > at
      AND EXISTS (SELECT FROM accounts_signingkey WHERE kid = of_key AND state IN ('next', 'active', 'retiring'));
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0018_mail_about_second_factors")]

    operations = [migrations.RunSQL(former.DROP + CREATE, former.DROP + former.CREATE)]
