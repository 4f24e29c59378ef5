"""Addresses for customers; short, because mail programs break long lines."""

from django.urls import path, re_path

from surveys.pages.acknowledge import acknowledge
from surveys.pages.answer import answer
from surveys.pages.brand import colours, logo
from surveys.pages.confirm import confirm
from surveys.pages.open import open_form, open_page
from surveys.pages.privacy import delete, download, privacy
from surveys.pages.unsubscribe import unsubscribe

app_name = "surveys"
urlpatterns = [
    path("a/<str:token>", answer, name="answer"),
    path("a/<str:token>/all", answer, {"is_hidden": True}, name="hidden"),
    path("c/<str:token>", confirm, name="confirm"),
    path("k/<str:token>", acknowledge, name="acknowledge"),
    path("o/<str:token>", open_page, name="open"),
    path("o/<str:token>/<str:key>", open_form, name="open-form"),
    path("u/<str:token>", unsubscribe, name="unsubscribe"),
    path("p/<str:token>", privacy, name="privacy"),
    path("p/<str:token>/answers.json", download, name="privacy-file"),
    path("p/<str:token>/delete", delete, name="privacy-delete"),
    re_path(r"^brand/(?P<digest>[0-9a-f]{64})$", logo, name="logo"),
    re_path(r"^brand/(?P<light>[0-9a-f]{6})-(?P<dark>[0-9a-f]{6})\.css$", colours, name="colours"),
]
