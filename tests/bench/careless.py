"""The control of `make scanners`: the same pages, but whoever opens a score has answered."""

from django.urls import path
from django.utils import timezone

from surveys.loop import answer as verb
from surveys.models import Invitation
from surveys.pages.answer import answer as page
from voc.urls import urlpatterns as product


def answer(request, token):
    invitation = Invitation.objects.by_token(token).first()
    if invitation and request.method == "GET" and request.GET.get("score", "").isdigit():
        verb.give(invitation, int(request.GET["score"]), "", timezone.now())
    return page(request, token)


answer.csrf_exempt = True
urlpatterns = [path("a/<str:token>", answer), *product]
