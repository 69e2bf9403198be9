"""Settings in people's own words, which no command takes: they are asked about, and never published as they are."""

import pytest

import handlers  # noqa: F401 - fills the table of commands
from gateway.inbound.commands import TABLE
from gateway.language.grammar import read
from gateway.language.usage.verbs import spoken, table
from tests.support.language_table import CONTEXT, resolver

ENGLISH = table(TABLE.verbs)
VERBS = {"en": ENGLISH, "es": spoken(ENGLISH, "es")}
ASKED = {
    "en": """
        off till never | off for the weekend | Off for the weekend! | off for the night | off this weekend
        off over the weekend | off until further notice | off until i'm back | off until I’m back | off for a while
        off for now | off for today | off for an hour | off for two hours | off for half an hour | off all day
        off till after lunch | off until next week | off till jan 5 | off till 5 january | off during my vacation
        off while i am on vacation | off for the weekend please | turn off | turn it off | Texts off. | turn back on
        no texts tonight | no texts after 10pm
        quiet for the night | quiet at night | quiet all night | quiet from ten to seven | quiet after 10
        quiet till never | quiet until tomorrow morning | quiet this weekend | quiet hours off | quiet for an hour
        quiet while i sleep | quiet during the night | quiet mode on | do not disturb | do not disturb 22-7
        don't disturb me tonight | dnd on
        digest every morning | digest in the morning | digest at eight | digest twice a day | digest every two hours
        digest every week | digest when i am back | digest once a week | digest by mail | digest in the evening
        limit twenty a day | limit me to 20 texts | limit my texts to 20 | limit texts to 20 a day | no limit
        limit per day 20 | limit 5 an hour | zone tokyo this week | zone tokyo until I am back | zone of tokyo
        prefer both please | prefer email only | prefer mail to texts | prefer mail over text | prefer mail at night
        prefer mail on weekends | prefer not to be texted | unseen five minutes | unseen for 5 minutes
        unseen an hour | unseen 5 min later | track the word acme | track word acme | track mentions of acme
        untrack the word acme | track the phrase board meeting | on again please
    """,
    "es": """
        apagar hasta nunca | apagar el fin de semana | apagar esta noche | apagar por ahora | apagar los sms
        apagar una hora | apagar dos horas | apagar hasta nuevo aviso | apagar hasta que vuelva
        apagar durante las vacaciones | apagar por la noche | apaga los mensajes | apaga todo | pausar una semana
        pausar hasta mañana | sin mensajes esta noche | silencio por la noche | silencio esta noche
        silencio hasta mañana | silencio de noche | silencio mientras duermo | no molestar | resumen cada mañana
        resumen por la mañana | resumen a las ocho | resumen cuando vuelva | resumen dos veces al día
        resumen por correo | sin límite | límite de veinte al día | zona tokio hasta que vuelva
        zona tokio esta semana | zona de tokio | prefiero el correo | prefiero correo por la noche
        prefiero correo para todo | no visto cinco minutos | no visto después de 5 minutos | no visto en 5 minutos
        rastrear la palabra acme | seguir la palabra acme | encender mañana por favor | reanudar el lunes
    """,
}
UPDATES = {
    "en": """
        off to lunch | off for lunch | off for the weekend, see you on monday at the gate | off the record it is done
        off and on all day | off by one | off for a walk with the dog | off work early | quiet day today
        quiet night here | quiet after the storm | quiet for a monday morning in the yard | digest of the week
        digest this first | digest at eight sites | limit the meeting to 20 minutes | limit per person is two
        no limit on this order | no texts from the client yet | no updates from the port
        prefer mail from the client | unseen for years | unseen five heroes
        track record is good | track the word count of this | track the phrase | turn off the lights
        turn it off and on again | texts off the press | do not disturb the painters | dnd night is on friday
        zone 5 is closed | zone tokyo office opens this week | on again off again | on at 8 | on my way
    """,
    "es": """
        apagar las luces | apaga todo el almacén | silencio en la sala | resumen de la semana pasada
        límite de velocidad 20 | sin límite de velocidad en el patio | zona 5 cerrada hoy
        no visto por aquí | no molestar a los pintores | seguir la palabra del cliente
    """,
}


def said(table_of: dict[str, str]) -> list[tuple[str, str]]:
    rows = ((language, row) for language, rows in table_of.items() for row in rows.strip().splitlines())
    return [(language, text.strip()) for language, row in rows for text in row.split("|")]


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_a_setting_in_other_words_is_asked_about(channel: str) -> None:
    read_as = {
        text: read(text, channel, VERBS[language], resolver, CONTEXT).intent  # type: ignore[arg-type]
        for language, text in said(ASKED)
    }
    assert {text: intent for text, intent in read_as.items() if intent != "ask"} == {}


def test_a_sentence_stays_an_update() -> None:
    read_as = {text: read(text, "sms", VERBS[language], resolver, CONTEXT).intent for language, text in said(UPDATES)}
    assert {text: intent for text, intent in read_as.items() if intent != "update"} == {}


@pytest.mark.parametrize(
    ("text", "bare"),
    [("silencio por favor", "silencio"), ("prefiero correo, por favor", "prefiero correo"), ("off thank you", "off")],
)
def test_a_courtesy_of_two_words_changes_nothing(text: str, bare: str) -> None:
    meant, plain = (read(each, "sms", VERBS["es"], resolver, CONTEXT) for each in (text, bare))
    assert (meant.intent, meant.verb, meant.args) == (plain.intent, plain.verb, plain.args)
    assert meant.intent not in ("ask", "update")


def test_the_word_to_track_can_be_confirmed() -> None:
    for text, form in (
        ("track the word acme", "track acme"),
        ("untrack the phrase board meeting", 'untrack "board meeting"'),
    ):
        assert read(text, "sms", ENGLISH, resolver, CONTEXT).form == form
