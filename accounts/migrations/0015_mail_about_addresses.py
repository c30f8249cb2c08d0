from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0014_keep_second_factors"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="accountmail",
            name="accounts_accountmail_kind_known",
        ),
        migrations.AddField(
            model_name="accountmail",
            name="session_id",
            field=models.UUIDField(blank=True, help_text="The session that asked, which a link lets go on.", null=True),
        ),
        migrations.AlterField(
            model_name="accountmail",
            name="kind",
            field=models.CharField(
                choices=[
                    ("password_reset", "Link that sets a password"),
                    ("password_changed", "Notice of another password"),
                    ("address_change", "Link that changes the address"),
                    ("address_change_asked", "Notice that another address was asked for"),
                    ("address_changed", "Notice of another address"),
                ],
                max_length=24,
            ),
        ),
        migrations.AddConstraint(
            model_name="accountmail",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "password_reset",
                            "password_changed",
                            "address_change",
                            "address_change_asked",
                            "address_changed",
                        ],
                    )
                ),
                name="accounts_accountmail_kind_known",
                violation_error_code="invalid_choice",
                violation_error_message="There is no such kind of mail.",
            ),
        ),
    ]
