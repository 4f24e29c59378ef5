"""Where the mail provider calls; its secret is in the request, not in the address."""

from django.urls import path

from surveys.inbound.provider import hook

urlpatterns = [path("<slug:provider>/<slug:what>", hook, name="mail_hook")]
