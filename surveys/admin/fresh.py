"""A form that was opened before somebody else's change is refused, with that change shown.

Its address carries the number of the newest change that it showed. What was typed stays in the form
for another look; saving again then means it.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db.models import Max, Model, QuerySet

from surveys.admin import history
from surveys.models import AuditEntry

SEEN = "seen"


def changes_of(noun: Model) -> QuerySet[AuditEntry]:
    """What changed a field of it; that a mail was sent or a list downloaded does not."""
    about = AuditEntry.objects.filter(noun=noun._meta.model_name, noun_id=noun.pk)
    return about.exclude(before={})


class Fresh:
    """Mixed into a ModelAdmin."""

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        noun = self.get_object(request, object_id) if object_id else None
        if noun is not None:
            last = changes_of(noun).aggregate(last=Max("pk"))["last"] or 0
            form_url = f"?{SEEN}={last}"
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        if request.method != "POST" or obj is None:
            return form

        class FreshForm(form):
            def clean(self):
                cleaned = super().clean()
                refuse_stale(self.instance, request.GET.get(SEEN, ""))
                return cleaned

        return FreshForm


def refuse_stale(noun: Model, seen: str) -> None:
    """Raises ValidationError with what others did since."""
    if not seen.isdecimal() or len(seen) > 18:
        return
    newer = changes_of(noun).filter(pk__gt=int(seen)).select_related("actor")
    said = [_sentence(line) for line in history.readable(newer[:5])]
    if said:
        raise ValidationError(
            [*said, "Nothing was saved. What you typed is still here: look again, and save again."]
        )


def _sentence(line: history.Line) -> str:
    changes = (f"{name}: {before} → {after}" for name, before, after in line.changes)
    return f"{line.sentence} since you opened this page. {'; '.join(changes)}"
