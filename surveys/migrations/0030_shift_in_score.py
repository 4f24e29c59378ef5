from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("surveys", "0029_deadlines_by_elapsed_time")]

    operations = [
        migrations.AddField(
            model_name="outreachtask",
            name="shift",
            field=models.SmallIntegerField(editable=False, null=True),
        ),
    ]
