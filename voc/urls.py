"""Every address of voc."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from voc import health

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("", include("surveys.pages.urls")),
    path("hooks/mail/", include("surveys.inbound.urls")),
    path("hooks/", include("surveys.triggers.urls")),
    path("api/v1/", include("analysis.api")),
    path("api/", include("surveys.api.urls")),
    path("admin/", include("analysis.pages.urls")),
    path("admin/", include("surveys.admin.passwords")),
    path("admin/", include("surveys.admin.me")),
    path("admin/", admin.site.urls),
]

if settings.EMBEDDED:
    urlpatterns.insert(1, path("inbox/", include("voc.inbox")))
