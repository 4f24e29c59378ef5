"""Addresses for customers; short, because mail programs break long lines."""

from django.urls import path

from surveys.pages.answer import answer
from surveys.pages.unsubscribe import unsubscribe

app_name = "surveys"
urlpatterns = [
    path("a/<str:token>", answer, name="answer"),
    path("u/<str:token>", unsubscribe, name="unsubscribe"),
]
