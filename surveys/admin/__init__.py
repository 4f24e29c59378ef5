"""The admin: the daily tool of account managers, and where program managers ask."""

from django.contrib import admin
from django.contrib.auth.models import Group

from surveys.admin import (  # noqa: F401  importing registers the pages
    answers,
    audit,
    brands,
    correspondence,
    escalation,
    families,
    forgetting,
    invitations,
    mail_templates,
    open_links,
    outbox,
    people,
    programs,
    settings,
    tasks,
    triggers,
    waves,
)

admin.site.unregister(Group)  # roles say who may do what (surveys/models/roles.py)
admin.site.index_template = "admin/surveys/dashboard.html"
admin.site.site_url = None
