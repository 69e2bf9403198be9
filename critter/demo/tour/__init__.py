"""Puts the tour together: the demo company on the simulator's page. critter/processes/registry hands it to the web
process while simulated, and never otherwise."""

from flask import Blueprint

from critter.demo import company
from critter.demo.tour.drill import Drill
from critter.demo.tour.starting_over import start_over
from critter.demo.tour.telling import TourApi
from gateway.doors.route_access import access
from gateway.doors.web.shell.content_policy import POLICY
from gateway.errors import Refused
from gateway.setting_types.values import netloc
from gateway.settings import Settings
from gateway.store.database import connect
from simulator import tour

PHONES = ("sam", "kim", "bob", "dana")
MAILBOXES = ("priya", "elena")  # both follow Kim by mail
PEOPLE = tuple(person.handle for person in company.PEOPLE)


def serve_pages(settings: Settings) -> Blueprint:
    """The pages at "/tour". They have connections of their own, which are opened at the first request."""
    if settings.mode == "live":
        raise Refused("The tour is only for simulated mode.")
    engine = connect(settings.database_url, keys=settings.secret_keys)
    url = f"http://{netloc(settings.simulator_listen)}"
    teller = TourApi(engine, settings)
    drill = Drill(engine, settings, url)

    def again() -> None:
        if drill.running():
            raise tour.Trouble("The 1,000 texts are still on their way. Start over when they are through.")
        start_over(engine, url)
        drill.forget()

    return tour.blueprint(
        tour.Stage(
            company=settings.company,
            simulator=url,
            number=settings.sms_numbers[0] if settings.sms_numbers else "",
            mailbox=f"post@{settings.mail_domain}",
            phones=tuple(_person(handle, company.NUMBERS) for handle in PHONES),
            mailboxes=tuple(_person(handle, None) for handle in MAILBOXES),
            policy=POLICY,
            public=access("public"),
            open_as="/as/",
            trace=teller.trace,
            explain=teller.explain,
            start_over=again,
            begin_drill=drill.begin,
            drill=drill.tell,
        )
    )


def _person(handle: str, numbers: str | None) -> tour.Person:
    """A person with their phone, or without `numbers` with their mailbox."""
    person = next(person for person in company.PEOPLE if person.handle == handle)
    address = f"{numbers}{person.number}" if numbers else f"{handle}@{company.DOMAIN}"
    return tour.Person(handle, person.name, person.title, address)
