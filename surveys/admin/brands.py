"""Brands: the logo, the colours and the review site that surveys show."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Count
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget

from surveys.admin import looks
from surveys.admin.base import Admin
from surveys.admin.default_words import default_wording
from surveys.admin.page_previews import SCORES, framed, in_colours, page_html
from surveys.models import Brand, Kind, Logo, Survey
from surveys.models.brand import KINDS, LOGO_BYTES, LOGO_HEIGHT, LOGO_WIDTH


class BrandForm(forms.ModelForm):
    logo_file = forms.FileField(
        label="Logo",
        required=False,
        widget=UnfoldAdminFileFieldWidget({"accept": ",".join(KINDS)}),
        help_text=f"PNG, JPEG or WebP, up to {LOGO_BYTES // 1000} kB and {LOGO_WIDTH} x "
        f"{LOGO_HEIGHT} pixels. Shown 48 pixels high, on white even in dark mode. Empty: the "
        "company's name.",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial["logo_file"] = self.instance.logo

    def clean_logo_file(self) -> Logo | None:
        given = self.cleaned_data["logo_file"]
        if isinstance(given, UploadedFile):
            return Logo.of(given.read(LOGO_BYTES + 1), size=given.size)
        return given or None  # False: it was ticked to be removed


@admin.register(Brand)
class BrandAdmin(Admin):
    form = BrandForm
    list_display = ("name", "shows_logo", "shows_colours", "review_site", "members")
    search_fields = ("name",)
    deletable = True
    fields = ("name", "logo_file", ("colour", "dark_colour"), "review_url")

    change_form_outer_after_template = "admin/surveys/brand.html"

    def change_view(self, request, object_id, form_url="", extra_context=None):
        brand = self.get_object(request, object_id)
        context = {"looks": _looks(brand) if brand else {}, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(surveys_count=Count("surveys"))

    def save_model(self, request, obj, form, change):
        obj.logo = form.cleaned_data["logo_file"]
        if obj.logo:
            obj.logo.save()
        super().save_model(request, obj, form, change)

    @display(description="logo")
    def shows_logo(self, brand):
        return looks.logo(brand)

    @display(description="colour, light and dark")
    def shows_colours(self, brand):
        return looks.swatches(brand)

    @display(description="review site", ordering="review_url")
    def review_site(self, brand):
        return brand.review_site or looks.NOTHING

    @display(description="surveys", ordering="surveys_count")
    def members(self, brand):
        return brand.surveys_count


def _looks(brand: Brand) -> dict[str, str]:
    """The page with the scores of a survey that is like any other, in light and in dark."""
    sample = Survey(kind=Kind.NPS, brand=brand)
    page = framed(page_html(sample, default_wording(sample, sample.language), SCORES), sample)
    return {colours: in_colours(page, colours) for colours in ("light", "dark")}
