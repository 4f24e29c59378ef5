import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analysis', '0002_forgotten_words'),
        ('surveys', '0023_evidence_and_confirmations'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Stale',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('answer', 'An answer: survey, time, customer'), ('invitation', 'An invitation: its id'), ('asked', 'Invitations of a survey at a time'), ('task', 'A task: when it began, and its answer where it is new or gone'), ('customer', "A customer's account or segment: its id"), ('members', "An account's segment, region or revenue: its id"), ('account', 'Who belongs to an account: its id')], max_length=10)),
                ('survey_id', models.BigIntegerField(null=True)),
                ('at', models.DateTimeField(null=True)),
                ('ref', models.BigIntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='AccountMonth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField()),
                ('segment', models.CharField(max_length=60)),
                ('product', models.CharField(max_length=80)),
                ('promoters', models.PositiveIntegerField()),
                ('passives', models.PositiveIntegerField()),
                ('detractors', models.PositiveIntegerField()),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='surveys.account')),
                ('survey', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='surveys.survey')),
            ],
            options={
                'indexes': [models.Index(fields=['month', 'survey'], include=('account', 'segment', 'promoters', 'passives', 'detractors'), name='accounts_of_month')],
                'constraints': [models.UniqueConstraint(fields=('account', 'month', 'survey', 'segment', 'product'), name='account_once_a_month')],
            },
        ),
        migrations.CreateModel(
            name='AnswerDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('segment', models.CharField(max_length=60)),
                ('product', models.CharField(max_length=80)),
                ('region', models.CharField(max_length=60)),
                ('source', models.CharField(choices=[('invited', 'Invited'), ('anonymous', 'Anonymous link'), ('imported', 'Imported')], max_length=10)),
                ('promoters', models.PositiveIntegerField()),
                ('passives', models.PositiveIntegerField()),
                ('detractors', models.PositiveIntegerField()),
                ('without_task', models.PositiveIntegerField()),
                ('survey', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='surveys.survey')),
            ],
            options={
                'indexes': [models.Index(fields=['survey', 'day'], name='answers_of_survey_and_day')],
                'constraints': [models.UniqueConstraint(fields=('day', 'survey', 'segment', 'product', 'region', 'source'), name='answers_once_a_day')],
            },
        ),
        migrations.CreateModel(
            name='AskedDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('segment', models.CharField(max_length=60)),
                ('product', models.CharField(max_length=80)),
                ('region', models.CharField(max_length=60)),
                ('invited', models.PositiveIntegerField()),
                ('answered', models.PositiveIntegerField()),
                ('by_link', models.PositiveIntegerField()),
                ('by_link_answered', models.PositiveIntegerField()),
                ('survey', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='surveys.survey')),
            ],
            options={
                'indexes': [models.Index(fields=['survey', 'day'], name='asked_of_survey_and_day')],
                'constraints': [models.UniqueConstraint(fields=('day', 'survey', 'segment', 'product', 'region'), name='invitations_once_a_day')],
            },
        ),
        migrations.CreateModel(
            name='TaskDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('segment', models.CharField(max_length=60)),
                ('product', models.CharField(max_length=80)),
                ('region', models.CharField(max_length=60)),
                ('tier', models.SmallIntegerField(choices=[(0, 'Revenue unknown'), (1, 'Below 100,000'), (2, '100,000 to 1,000,000'), (3, '1,000,000 or more')])),
                ('in_time', models.PositiveIntegerField()),
                ('late', models.PositiveIntegerField()),
                ('waiting', models.PositiveIntegerField()),
                ('withdrawn', models.PositiveIntegerField()),
                ('owner', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('survey', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='surveys.survey')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('day', 'survey', 'segment', 'product', 'region', 'owner', 'tier'), name='tasks_once_a_day', nulls_distinct=False)],
            },
        ),
    ]
