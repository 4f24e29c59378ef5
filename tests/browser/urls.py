"""The addresses of the embedded mode, with its inbox."""

from django.urls import include, path

from voc.urls import urlpatterns as product

urlpatterns = [path("inbox/", include("voc.inbox")), *product]
