from django.db import migrations

# The question of every request. PL/pgSQL keeps the plan for as long as the connection lives, behind PgBouncer as well,
# where prepared statements are not to be had: planning is most of what the question costs.
CREATE = """
CREATE FUNCTION accounts_identify(of_user uuid, of_session uuid, of_key text, at timestamptz)
RETURNS TABLE (account accounts_user, held jsonb)
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
        )
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
DROP = "DROP FUNCTION accounts_identify(uuid, uuid, text, timestamptz);"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_make_addresses_one_identity")]

    operations = [migrations.RunSQL(CREATE, DROP)]
