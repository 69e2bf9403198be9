"""Ten thousand mails in strangers' names, and not one mail goes out (F26). The suite sends a thousand of them."""

from gateway.settings import Settings
from tests.inbound.test_machines import no_backscatter
from tests.support.office import Office


def test_ten_thousand_forged_senders_hear_nothing(office: Office, settings: Settings) -> None:
    no_backscatter(office, settings, 10_000)
