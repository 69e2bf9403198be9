"""Mails whose whole text asks for no more mails, in several languages, and mails that only sound alike."""

import pytest

from gateway.language.opt_out.keywords import stops_mails


@pytest.mark.parametrize(
    "text",
    [
        "Bitte keine E-Mails mehr",
        "Bitte nehmen Sie mich vom Verteiler.",
        "Désabonnez-moi",
        "Désinscrivez-moi de cette liste.",
        "geen mails meer",
        "basta email",
        "Não quero mais emails!",
        "не пишите мне больше",
        "I no longer want to receive these emails.",
    ],
)
def test_requests(text):
    assert stops_mails(text)


@pytest.mark.parametrize("text", ["stop the mail van at gate 7", "remove the list from the wall", "geen mails vandaag"])
def test_what_is_said_to_colleagues(text):
    assert not stops_mails(text)
