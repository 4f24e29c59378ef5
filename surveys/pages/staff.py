"""What every page for colleagues shares."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone


class StaffTimeZone:
    """Dates are shown in the reader's own time zone; customers' pages show none."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        name = request.user.time_zone if request.user.is_authenticated else ""
        with timezone.override(_zone(name)):
            return self.get_response(request)


def _zone(name: str):
    try:
        return ZoneInfo(name) if name else timezone.get_default_timezone()
    except (ZoneInfoNotFoundError, ValueError):
        return timezone.get_default_timezone()
