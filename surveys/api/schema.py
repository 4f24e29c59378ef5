"""What the schema says beyond the views: how to sign in, and the one shape of refusals."""

from __future__ import annotations

from django.http import Http404
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView


class KeyScheme(OpenApiAuthenticationExtension):
    target_class = "surveys.api.keys.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema) -> dict:
        return build_bearer_security_scheme_object("Authorization", "Bearer")


REFUSAL = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string", "example": "invalid"},
                "message": {"type": "string", "example": "Some fields are not valid."},
                "fields": {"type": "object", "additionalProperties": {}},
            },
        }
    },
}


def add_refusals(result: dict, generator, request, public) -> dict:
    """A hook of drf-spectacular: each operation can be refused, always in the same shape."""
    result["components"]["schemas"]["Refusal"] = REFUSAL
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    refused = {"description": "Refused; `message` says what to do.", "content": content}
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["4XX"] = refused
    return result


@extend_schema(exclude=True)
class NothingHere(APIView):
    """Addresses the API does not have are refused in its own shape, too."""

    authentication_classes: list = []
    permission_classes = [AllowAny]

    def initial(self, request, *args, **kwargs) -> None:
        raise Http404("There is nothing at this address. /api/docs/ lists those there are.")
