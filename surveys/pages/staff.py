"""What every page for colleagues shares."""

from django.utils import timezone


class StaffTimeZone:
    """Dates are shown in the reader's own time zone; customers' pages show none."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        zone = request.user.zone if request.user.is_authenticated else None
        with timezone.override(zone or timezone.get_default_timezone()):
            return self.get_response(request)
