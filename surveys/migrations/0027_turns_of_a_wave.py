from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("surveys", "0026_queue_in_call_order")]

    operations = [
        migrations.AddField(
            model_name="wave",
            name="dealt",
            field=models.JSONField(default=dict, editable=False),
        ),
    ]
