"""What a brand adds to a page: its logo, and a style sheet of two colours. Their addresses change
with what they show, so browsers may keep them for good; nobody's token is in them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from surveys.models import Logo
from surveys.models.brand import Colours, css_variables
from surveys.pages.public import gone, public_page

FOR_GOOD = "public, max-age=31536000, immutable"


def kept_for_good(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A public page, but for how long browsers may keep it when it is there."""
    page = public_page(require_safe(view))

    @wraps(page)
    def kept(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        response = page(request, *args, **kwargs)
        if response.status_code == 200:
            response["Cache-Control"] = FOR_GOOD
        return response

    return kept


@kept_for_good
def logo(request: HttpRequest, digest: str) -> HttpResponse:
    found = Logo.objects.filter(pk=digest).first()
    if found is None:
        return gone(request)
    return HttpResponse(bytes(found.data), content_type=found.content_type)


@kept_for_good
def colours(request: HttpRequest, light: str, dark: str) -> HttpResponse:
    chosen = Colours(f"#{light}", f"#{dark}")
    return HttpResponse(css_variables(chosen), content_type="text/css; charset=utf-8")
