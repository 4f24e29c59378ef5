"""What the page after the score asks."""

from __future__ import annotations

from functools import lru_cache

from django import forms
from django.utils.translation import gettext_lazy as _

from surveys.loop.answer import More
from surveys.models import COMMENT_LENGTH, CONTACT_TIME_LENGTH, ContactChannel, Response

NO_CONTACT = ("", _("No, thank you"))


class MoreForm(forms.Form):
    comment = forms.CharField(required=False, max_length=COMMENT_LENGTH)
    reasons = forms.MultipleChoiceField(required=False)
    contact = forms.ChoiceField(required=False, choices=[NO_CONTACT, *ContactChannel.choices])
    contact_time = forms.CharField(required=False, max_length=CONTACT_TIME_LENGTH)

    def __init__(self, reasons: list[tuple[str, str]], sent=None, *args, **kwargs):
        if sent is not None:  # browsers count a line break as one character and send two
            sent = sent.copy()
            sent["comment"] = sent.get("comment", "").replace("\r\n", "\n")
        super().__init__(sent, *args, **kwargs)
        self.fields["reasons"].choices = reasons

    @classmethod
    def of(cls, reasons: list[tuple[str, str]], given: Response) -> MoreForm:
        """The form as it was last sent."""
        chosen = [reason.key for reason in given.reasons.all()] if given.finished_at else []
        initial = {"comment": given.comment, "reasons": chosen, "contact": given.contact_channel,
                   "contact_time": given.contact_time}  # fmt: skip
        return cls(reasons, initial=initial)

    def more(self) -> More:
        said = self.cleaned_data
        time = said["contact_time"] if said["contact"] else ""
        return More(said["comment"], said["reasons"], said["contact"], time)

    def as_sent(self) -> dict[str, object]:
        return {name: self.cleaned_data[name] for name in self.fields}


@lru_cache(maxsize=256)
def blank(reasons: tuple[tuple[str, str], ...]) -> MoreForm:
    """The form before anything was written; the same one for the same reasons."""
    return MoreForm(list(reasons))
