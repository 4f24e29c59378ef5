from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("surveys", "0030_shift_in_score")]

    operations = [
        migrations.AddField(
            model_name="wave",
            name="last_score_from",
            field=models.PositiveSmallIntegerField(
                blank=True,
                null=True,
                help_text="On this survey's scale, in their last answer of its kind.",
            ),
        ),
        migrations.AddField(
            model_name="wave",
            name="last_score_to",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
    ]
