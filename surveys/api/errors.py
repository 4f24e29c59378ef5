"""Every refusal in one shape: {"error": {"code", "message", "fields"?}}."""

from __future__ import annotations

from django.db import DataError
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from surveys.loop import answer, ask, close, happen, reach_out, recognise

# A verb's refusal says what to do; the request was well-formed, but not in this state of things.
REFUSED_BY_A_VERB = (
    answer.CannotAnswer,
    ask.SurveyClosed,
    close.CannotClose,
    happen.Contradiction,
    recognise.TwoCustomers,
    reach_out.CannotLog,
    reach_out.NotOpen,
    reach_out.ChangedMeanwhile,
)


class Conflict(APIException):
    status_code = 409
    default_detail = "This contradicts what is stored."
    default_code = "conflict"


def one_shape(error: Exception, context: dict) -> Response | None:
    """DRF's exception handler; None (a 500) for what is nobody's input but our mistake."""
    if isinstance(error, REFUSED_BY_A_VERB):
        error = Conflict(str(error))
    elif isinstance(error, DataError):
        error = ParseError("A value is out of range.")
    response = exception_handler(error, context)
    if response is not None:
        response.data = {"error": _body(error, response)}
    return response


def _body(error: Exception, response: Response) -> dict:
    if isinstance(error, ValidationError):
        return _invalid(error.detail)
    detail = response.data["detail"]
    return {"code": detail.code, "message": str(detail)}


def _invalid(detail: dict | list) -> dict:
    fields = detail if isinstance(detail, dict) else {"non_field_errors": detail}
    general = fields.get("non_field_errors", [])
    named = {name: errors for name, errors in fields.items() if name != "non_field_errors"}
    message = " ".join(map(str, general)) or "Some fields are not valid: see “fields”."
    return {"code": "invalid", "message": message, **({"fields": named} if named else {})}
