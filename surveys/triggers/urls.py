"""Addresses for ticket systems and CRMs."""

from django.urls import path

from surveys.triggers.door import hook

urlpatterns = [path("<slug:name>/", hook, name="hook")]
