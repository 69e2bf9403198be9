"""Every answer of every story, in every language: one text part; and every sentence is told in some story."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from critter.tools.translations import templates
from gateway.i18n.phrases import languages
from gateway.i18n.refusals import SENTENCES
from gateway.settings import Settings
from gateway.sms.fit import segments, thrifty
from tests.support.answer_recorder import AnswerRecorder
from tests.support.conversation_player import play
from tests.support.databases import Kept

STORIES = sorted((Path(__file__).parents[1] / "conversations").glob("*.txt"))
# What people wrote themselves is as long as they wrote it.
QUOTING = ("{by}: {text} ({ago})", "{name} asks you, because you wrote about {word}:")
# Said by mail alone.
MAILED = (
    "{name} invites you to {company}'s Critter: short updates by text and mail.",
    "Mail {address} what you are doing",
    "Welcome, {name}. You are @{handle}.",
    "To join, reply to this mail with just your name",
    "What colleagues at {company} wrote lately.",
    "Reply to this mail with a number and your words",
    "Which one do you answer?",
    "{name} asks you privately, because you wrote about {word}.",
)


# Told by the command line, to strangers, or when budgets end, by tests of their own.
BY_OTHER_DOORS = {
    "gateway/network/operating/adding.py",
    "gateway/actions/preferences/push_devices.py",
    "workers/sending/render_push.py",
    "gateway/inbound/mail_attachments.py",
    "critter/administration/people_link.py",
    "gateway/mail/compose/layout.py",
    "gateway/network/calls/call_words.py",
    "gateway/network/digests/digest_words.py",
    "gateway/mail/history/reply_marker.py",
    "gateway/mail/bounces/status_codes.py",
    "gateway/mail/bounces/failure_reasons.py",
    "gateway/network/people/aliases.py",
    "gateway/network/mail/bounce_scores.py",
    "gateway/actions/preferences/own_addresses.py",
    "gateway/network/verification/codes.py",
    "gateway/network/verification/sign_in_codes.py",
    "gateway/network/mail/confirmations.py",
    "gateway/network/verification/pins.py",
    "gateway/network/receipts/author_reports.py",
    "gateway/network/receipts/budget_notices.py",
    "gateway/network/people/welcomes.py",
    "gateway/inbound/unknown_senders.py",
}
# Reasons to refuse what no text asks for: files and requests of pages, PINs, codes and aliases at the command line.
REFUSED_ELSEWHERE = {
    SENTENCES[reason]
    for reason in (
        "file_too_large", "file_not_passed_on", "picture_too_large", "picture_broken", "too_many_files", "upload_gone",
        "key_of_another_request", "key_run_out", "bad_pin", "easy_pin", "codes_an_hour", "codes_a_day",
        "bad_alias", "reserved_alias", "alias_is_handle",
        "topic_too_frequent", "bad_key", "bad_tag", "bad_language", "uploads_a_day", "bad_reaction", "member_is_group",
        "zone_over", "source_not_followed", "no_audience", "nobody_called", "several_called", "quiet_incomplete",
        "quiet_all_day", "zone_not_found", "digest_time", "digest_nowhere", "bad_passkey", "too_many_passkeys",
        "company_again", "company_refused", "company_away", "company_stranger", "wrong_code", "wrong_pin",
        "pins_differ", "no_place_for_code", "channel_off", "phone_unreachable", "address_unproved", "last_address",
        "consent_missing", "push_off", "push_service_elsewhere", "push_service_refused", "push_keys_wrong",
        "device_gone", "no_followers_only", "private_to_nobody", "never_changed", "no_polls", "no_scheduling",
        "too_many_pinned", "too_many_lists", "list_full", "list_untitled", "list_of_group", "list_gone",
        "not_followed_yet", "pin_of_own",
        "status_empty", "status_over", "status_end",
    )
}  # fmt: skip
# What a story cannot make happen: between two moments, by a setting, after dozens of texts.
GUARDS = {
    "#{handle} is called {name} again.",
    # said to who gets pushes: tests/network/test_pushes.py
    "Pushes are off.",
    "Pushes are on.",
    "Pushes come instead of texts already.",
    "Pushes instead of texts from now on.",
    "Pushes instead of texts.",
    "You get pushes instead of texts again.",
    "You get pushes instead of texts. To get texts again: PREFER TEXT",
    "by push, because you prefer pushes",
    "{name} got it by push.",
    "{number} by push",
    "“{word}” is not a time like 5m or 1h",
    "the second half of what was kept",
    "Your message reached us, but we could not read it. It is kept, nothing was posted, and an operator has been told.",
    "Your message",
    "That was the last answer for an hour. What you change is still confirmed.",
    "that address",
    "Twenty wrong codes or PINs came for @{handle} in 30 days: locked for {hours}. To unlock: critter people unlock"
    " {handle}",
    "Twenty wrong codes or PINs came in your name in 30 days, @{handle}. Nothing can be confirmed there for {hours}."
    " Was that not you? Tell an operator.",
    "you sent that before this question. {answers}",
    "Do you want no more mails from us? Then reply UNSUBSCRIBE. Not posted yet.",
    "One message cannot go to a closed group and to others. Nothing was posted.",
    "Those updates are gone. Nothing was posted.",
    "“{word}” is an alias of @{handle}.",
    "That account is not there any more.",
    "That is you. Your own updates go to the people who follow you.",
    "A name needs at least one letter.",
    "That is too long: {number} characters, and {most} is the most. Nothing was posted.",
    "Your PIN has ended after twenty wrong tries. Ask an operator for a new one.",
    "Nobody can be invited by mail here yet. Ask an operator to set CRITTER_INVITE_DOMAINS.",
    "You can invite {number} people a day. Go on tomorrow.",
    "{name} is gone.",
    "That question has run out. Nothing was changed.",
    "That phone or mailbox is not yours any more. Nothing was changed.",
    "That is your own update, and your followers have it. Nothing was posted.",
    "That is more than Critter reads from one phone or mailbox in an hour. The rest is kept unread. "
    "Please go on in an hour.",
    "Your messages",
    "more to come",
    "{company}: short updates from the colleagues you follow. Reply STOP to end texts, ? for more help.",
    "Mails are on. To stop them: OFF. To see what you can do: HELP",
    "One mail can answer only one mail. Nothing was posted",
    # said by the help page, by mails that cannot be read and by phones that were silent: their own tests have them
    "After you wrote something",
    "An operator made you an owner of {group}: add NAME {handle}, remove NAME {handle}. leave {handle} ends it.",
    "Follow people and groups",
    "Get less, or nothing",
    "Look things up",
    "More",
    "Nothing was done yet. Reply YES first, then send it again.",
    "One more waits.",
    "Outlook wrapped your mail up (winmail.dat). Nothing was posted. Send it as HTML or plain text",
    "Run a group",
    "Say something",
    "Thank you, {name}. Everything is as it was. For help: ?",
    "The words of your mail could not be read. Nothing was posted. Send it as plain text",
    "This is {company}'s Critter. Reply STOP to end texts.",
    "To stop all mails: OFF. To get them back: ON. To stop one: LEAVE NAME. Every mail has its own "
    "unsubscribe link, too.",
    "We have not heard from this phone for long. Are you still {name}? Reply YES. If not, ignore this: "
    "texts end in {days} days.",
    "We no longer text the phone of @{handle}, who has no mailbox. Ask them, then run: critter people link {handle}",
    "We no longer text your phone ending in {digits}: it has been silent for long, or its carrier says "
    "that it is gone. Your mails go on. Is it still yours? Reply LOGIN, and text us the code from that "
    "phone.",
    "Without a command",
    "You and your colleagues",
    "Your mail arrived as source text, without its words. Nothing was posted. Send it as plain text",
    "Your mail is encrypted, and Critter cannot read it. Nothing was posted. Send it unencrypted",
    "an answer or a word to somebody, for everyone to read",
    "an update to a group",
    "an update to everyone who follows you",
    "an update, even if its first word is a command",
    'did you mean "{form}"?',
    "get texts again",
    "no more texts, at once",
    "this may mean that you want no more texts",
    "{count} is still waiting",
    "{count} text is kept already, and this one is not. Reply 1, POST or DROP, then send it again.",
    "{verb} what?",
    "{verb} which group?",
    # said of calls by night, after a restore, and where a group lacks its mark, by reasons: tests/handlers has them
    "nobody got it.",
    "Your call to #{group} was taken back.",
    "a group is written as #{handle} here",
    # said of digests and ends that a story cannot reach, for its clock stands still: tests/network has them
    "It came behind others that had waited for you.",
    "It waited for your digest.",
    "about {count} person now",  # of more than 800 followers
    "about {count} phone",
    "Your digest has nowhere to come to: what you get is off. To turn it on: ON",
    "Your digest of {count} update comes when your quiet hours end.",
    "{count} update comes when your quiet hours end.",
    "“{handle}” cannot be a handle. Use 2 to 20 of a-z, 0-9 and _, and none of these: {characters}.",
}


def _is_elsewhere(place: str) -> bool:
    """What pages and apps say is read there, and may be as long as it is."""
    return place in BY_OTHER_DOORS or place.startswith(("gateway/doors/web/", "gateway/doors/api/"))


def _as_long_as_it_is(said: set[str]) -> bool:
    """People's own words, and mails."""
    return bool(said.intersection(QUOTING)) or any(each.startswith(MAILED) for each in said)


@pytest.mark.timeout(400)
def test_every_answer_fits_one_text_in_every_language(
    databases: Kept, database: str, engine: Engine, settings: Settings, recorder: AnswerRecorder, answers_folder: Path
) -> None:
    """What test_conversations.py heard in this run counts; the stories that it has not told yet are told here."""
    assert languages() == {"en", "es"}
    for story in STORIES:
        if not recorder.recall(answers_folder / f"{story.stem}.json"):
            databases.empty(database)
            play(story, engine, settings)
    long = [
        f"{parts} {words!r}"
        for english, (spanish, said) in recorder.answers.items()
        for words in (english, spanish)
        if not _as_long_as_it_is(said) and (parts := segments(thrifty(words))[1]) > 1
    ]
    assert long == [], "\n".join(long)
    texts = {template[0] for template, place in templates().items() if not _is_elsewhere(place)}
    untold = texts - recorder.said
    assert untold == GUARDS | REFUSED_ELSEWHERE
