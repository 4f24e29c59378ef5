"""Addresses of the API; the final slash may be left out."""

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from surveys.api import accounts, customers, events, links, programs, responses, tasks, waves
from surveys.api.schema import NothingHere

app_name = "api"

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("accounts", accounts.Accounts, "account")
router.register("customers", customers.Customers, "customer")
router.register("surveys", programs.Surveys, "survey")
router.register("waves", waves.Waves, "wave")
router.register("invitations", programs.Invitations, "invitation")
router.register("links", links.Links, "link")
router.register("open-links", links.OpenLinks, "open-link")
router.register("events", events.Events, "event")
router.register("responses", responses.Responses, "response")
router.register("tasks", tasks.Tasks, "task")
router.register("root-causes", tasks.RootCauses, "root-cause")


class Docs(SpectacularSwaggerSplitView):
    url_name = "api:schema"
    template_name = "surveys/api/docs.html"


urlpatterns = [
    path("v1/", include(router.urls)),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", Docs.as_view(), name="docs"),
    re_path(r"^v1(/|$)", NothingHere.as_view()),
]
