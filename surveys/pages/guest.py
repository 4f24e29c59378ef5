"""Who stands before a page: a link, a browser, an address, and what they show of themselves."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone, translation

from surveys.delivery.visits import Seen, writer
from surveys.loop import answer as verb
from surveys.loop import asked
from surveys.loop.answer import More, Pressed
from surveys.loop.asked import Asked
from surveys.loop.press import Press, press
from surveys.models import Invitation, Response, Sign, Visit, client_hash
from surveys.pages import clients, nonces, traps


class Guest:
    """One request with a customer's link. `now` is the moment it came, `page` what the nonces of
    its forms are bound to.

    `openly.OpenGuest` comes by an open link, and overrides what it does with one.
    """

    action = ""  # where the forms are sent; empty: to the page's own address
    write_to = ""  # whom to write to instead of asking to be contacted

    def __init__(self, request: HttpRequest, token: str, is_hidden: bool = False):
        self.request, self.token, self.is_hidden = request, token, is_hidden
        self.page = token
        self.now = timezone.now()
        self.language = translation.get_language() or ""  # the browser's, among ours
        self.address = clients.address_of(request)
        self.client = client_hash(self.address)

    def find(self) -> Asked | None:
        about = asked.find(self.token, self.language, self.client, self.now)
        if about:
            self.meet(about.invitation)
        return about

    def press_at_once(self, score: int, comment: str) -> Press | None:
        """The usual press of a person. None: there is no such link."""
        pressed = press(self.token, score, comment, self.language, self.client, self.now)
        if pressed:
            self.meet(pressed.asked.invitation)
        return pressed

    def meet(self, invitation: Invitation) -> None:
        """It is a link of that invitation; who has those of many within seconds walks."""
        clients.meet(self.address, invitation.pk)

    def press(self, about: Asked, score: int, **how: Any) -> Pressed:
        """Any press of the page with the scores; see answer.press."""
        return verb.press(about.invitation, score, self.now, **how)

    def add(self, given: Response, more: More, signs: list[Sign]) -> Pressed:
        return verb.add(given, more, self.now, signs)

    def scores_pressed(self, about: Asked) -> set[int]:
        """Those that were pressed behind the links of this mail within two minutes."""
        return Visit.objects.scores_pressed(about.invitation, self.now)

    def posted(self, name: str) -> str:
        return self.request.POST.get(name, "")

    def text(self, name: str) -> str:
        """What was written, with the line breaks counted as the browser counts them."""
        return self.posted(name).replace("\r\n", "\n")

    def nonces_for(self, form: str = nonces.FORM) -> dict[str, str]:
        """For a page with that form, and with the decoy before it."""
        return {
            "nonce": nonces.issue(self.page, form, self.now),
            "decoy": nonces.issue(self.page, nonces.DECOY, self.now),
        }

    def proof(self) -> nonces.Nonce | None:
        """That a form of this page was seen, and lately."""
        try:
            nonce = nonces.read(self.posted("nonce"), self.page)
        except nonces.NotOurs:
            return None
        return None if nonce.is_outdated(self.now) else nonce

    def signs(self, nonce: nonces.Nonce) -> list[Sign]:
        """What this press shows of a machine."""
        sent, headers = self.request.POST, self.request.headers
        walked = clients.invitations_met(self.address)
        signs = traps.signs_of_press(nonce, sent, headers, walked, self.now)
        return [*signs, Sign.HIDDEN_LINK] if self.is_hidden else signs

    def was_in_a_trap(self, invitation: Invitation) -> bool:
        """A machine that waits on this page has hardly spared the other links of the mail."""
        return Visit.objects.in_traps(invitation, self.client, self.now).exists()

    def note_look(self, invitation: Invitation, score: int | None = None) -> None:
        is_look = self.request.method == "HEAD"
        what = Visit.What.LOOKED if is_look else Visit.What.OPENED
        self.note(invitation, Visit.What.HIDDEN_LINK if self.is_hidden else what, score)

    def note_press(self, invitation: Invitation, score: int | None, signs: list[Sign]) -> None:
        self.note(invitation, Visit.What.CAUGHT if signs else Visit.What.PRESSED, score)

    def note(self, invitation: Invitation, what: str, score: int | None = None) -> None:
        """Leave the visit to the thread that writes visits once the response is on its way."""
        agent = self.request.headers.get("User-Agent", "")
        writer.note(Seen(invitation.pk, what, self.now, self.client, agent, score))
