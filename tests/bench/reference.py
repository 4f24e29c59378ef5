"""What `make bench-answer` measures against: the smallest pages with the ORM that take an answer.

A token is looked up, a form is shown, and one transaction inserts the answer and its task; the page
after it asks for a comment, which is added to the answer. Nothing else: no digest, no nonce, no
READ ONLY, no version, no mail, no audit.
"""

from datetime import timedelta

from django import forms
from django.db import models, transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.template import engines
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from voc.health import healthz


class Invitation(models.Model):  # noqa: DJ008
    token = models.CharField(max_length=26, unique=True)

    class Meta:
        app_label = "reference"


class Answer(models.Model):  # noqa: DJ008
    invitation = models.OneToOneField(Invitation, on_delete=models.PROTECT)
    score = models.SmallIntegerField()
    comment = models.TextField(blank=True)
    answered_at = models.DateTimeField()

    class Meta:
        app_label = "reference"


class Task(models.Model):  # noqa: DJ008
    answer = models.OneToOneField(Answer, on_delete=models.PROTECT)
    due_at = models.DateTimeField()

    class Meta:
        app_label = "reference"


class AnswerForm(forms.Form):
    score = forms.TypedChoiceField(choices=[(str(n), str(n)) for n in range(11)], coerce=int)


class CommentForm(forms.Form):
    comment = forms.CharField(max_length=5_000, required=False)


PAGE = engines["django"].from_string("""<!doctype html><title>Survey</title><form method="post">
<h1>How likely are you to recommend us?</h1>{{ form.errors }}
{% for score, label in form.fields.score.choices %}<label>
<input type="radio" name="score" value="{{ score }}"> {{ label }}</label>{% endfor %}
<button>Send</button></form>""")
MORE = engines["django"].from_string("""<!doctype html><title>Survey</title><form method="post">
{{ form.errors }}<label>Why? <textarea name="comment"></textarea></label><button>Send</button>
</form>""")
THANKS = engines["django"].from_string("<!doctype html><title>Thank you</title><h1>Thank you</h1>")


@csrf_exempt
def answer(request, token):
    invitation = get_object_or_404(Invitation, token=token)
    if "comment" in request.POST:
        return more(request, invitation)
    form = AnswerForm(request.POST or None)
    if not form.is_valid():
        return HttpResponse(PAGE.render({"form": form}, request))
    said, now = form.cleaned_data, timezone.now()
    with transaction.atomic():
        given = Answer.objects.create(invitation=invitation, answered_at=now, **said)
        Task.objects.create(answer=given, due_at=now + timedelta(hours=72))
    return HttpResponse(MORE.render({"form": CommentForm()}, request))


def more(request, invitation):
    form = CommentForm(request.POST)
    if not form.is_valid():
        return HttpResponse(MORE.render({"form": form}, request))
    given = get_object_or_404(Answer, invitation=invitation)
    given.comment = form.cleaned_data["comment"]
    given.save(update_fields=["comment"])
    return HttpResponse(THANKS.render({}, request))


urlpatterns = [path("a/<str:token>", answer), path("healthz", healthz)]
