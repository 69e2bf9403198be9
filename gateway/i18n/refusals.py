"""Why something is refused: each reason, and the sentence that every door says for it.

`refusal("self")` makes the exception. Its `reason` and `facts` are for programs, its `text` is for people.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from gateway.errors import Refused
from gateway.i18n.phrases import Phrase, count, joined, say, template
from gateway.i18n.unreached import UnreachedPerson, describe_unreached


def refusal(reason: str, **facts: Any) -> Refused:
    """The exception to raise; `facts` are what the sentence is filled with."""
    sentence = SENTENCES.get(reason) or COMPOSED[reason](**facts)
    text = sentence if isinstance(sentence, Phrase) else say(sentence, **facts)
    return Refused(text, reason, facts)


def _unreached(people: Sequence[UnreachedPerson], timezone: str) -> Phrase:
    return joined([say("Not sent."), describe_unreached(people, timezone)])


def _last_owner(name: str, handle: str) -> Phrase:
    fix = say("Make somebody else an owner first: owner NAME {handle}", handle=handle)
    return joined([say("Then {name} would have no owner.", name=name), fix])


def _too_many_kept(number: int) -> Phrase:
    return count(
        "{count} text is kept already, and this one is not. Reply 1, POST or DROP, then send it again.",
        "{count} texts are kept already, and this one is not. Reply 1, POST or DROP, then send it again.",
        number,
    )


def _no_zone(word: str, zones: str = "", place: str = "tokyo") -> Phrase:
    nearest = say("Nearest: {zones}.", zones=zones) if zones else ""
    fix = say("Write: zone {place}", place=place)
    return joined([say("No zone is called {word}.", word=word), nearest, fix])


def _bad_handle(problem: str) -> Phrase:
    return joined([problem])


COMPOSED: Final[Mapping[str, Callable[..., Phrase]]] = {
    "unreached": _unreached,
    "last_owner": _last_owner,
    "too_many_kept": _too_many_kept,
    "bad_handle": _bad_handle,
    "no_zone": _no_zone,
}

SENTENCES: Final[Mapping[str, str]] = {
    # Posting and private messages
    "empty": template("Nothing to post: the message was empty."),
    "too_long": template("That is too long: {number} characters, and {most} is the most. Nothing was posted."),
    "not_member": template("Only members can post to {handle}. Nothing was posted. To ask to join: JOIN {handle!u}"),
    "not_poster": template(
        "Only its posters can post to {handle}. Nothing was posted. To write to them privately: d {handle} text"
    ),
    "status_empty": template("A status needs words. Example: status in the workshop till 4"),
    "status_too_long": template("A status has {most} characters at most. Nothing was changed."),
    "status_end": template("“{words}” is no end of a status. Write it like: till 4, 2h, till friday"),
    "status_over": template("That time is over already. Nothing was changed."),
    "answer_was_sent": template("The summary has gone out, so your answer cannot be taken back."),
    "nothing_to_end": template("Nothing of yours waits for answers in #{handle}."),
    "may_not_urge": template(
        "#{handle} is not set up for urgent calls; an operator can do that. Nothing was sent. To post: #{handle} text"
    ),
    "urgent_by_posters": template(
        "Only owners and posters of #{handle} may send urgent calls. Nothing was sent. Privately: d {handle} text"
    ),
    "group_gone": template("That group is gone. Nothing was posted."),
    "closed_group_and_others": template("One message cannot go to a closed group and to others. Nothing was posted."),
    "nobody_but_you": template("There is nobody in that but you. Nothing was sent or posted."),
    "blocked_by_you": template("Not sent, because you blocked {name}. To unblock: ON {handle!u}"),
    "closed_to_writers": template("{handle} is closed: only its members can write to it. Nothing was sent."),
    "nothing_to_answer": template(
        "There is nothing to reply to: nothing has reached you here yet. To write to somebody: @NAME text"
    ),
    "writer_left": template("The person who wrote that has left. Nothing was sent."),
    "updates_gone": template("Those updates are gone. Nothing was posted."),
    "nothing_to_repeat": template("There is nothing to pass on: no such update has reached you here yet."),
    "private_item": template("That was private, so it is not passed on. Nothing was posted."),
    "own_item": template("That is your own update, and your followers have it. Nothing was posted."),
    "item_of_closed_group": template("{name} is closed: what is said there stays there. Nothing was posted."),
    "nothing_to_like": template("There is nothing to like: no such update has reached you here yet."),
    "several_zones": template("Several zones are called {word}: {zones}. Write: zone {first}"),
    "zone_over": template("That end has passed already. Nothing was changed. Write: zone tokyo till sunday"),
    "quiet_incomplete": template("Give both times and at least one day. Nothing was changed."),
    "quiet_all_day": template("Quiet hours must leave some time of each day. Nothing was changed."),
    "zone_not_found": template("No place is called {word} here. Try: {zones}. Nothing was changed."),
    "digest_time": template("Write a time of day, like 08:00. Nothing was changed."),
    "digest_nowhere": template("Your digest has nowhere to come to: what you get is off. Turn it on first."),
    "bad_reaction": template("React with one emoji, or with like or love. Nothing was stored."),
    # Files
    "file_too_large": template("That file is larger than {number} MB. Send a smaller one."),
    "file_not_passed_on": template("This kind of file is not passed on. Send a picture, a PDF or a document."),
    "picture_too_large": template("That picture has too many pixels, or cannot be read. Send it as JPEG."),
    "picture_broken": template("That picture is broken. Send it again, as JPEG."),
    "too_many_files": template("A post shows at most {number} files. Nothing was posted."),
    "uploads_a_day": template("You can upload {number} files a day. Go on tomorrow."),
    "upload_gone": template("One of these files is not there any more. Upload it again. Nothing was posted."),
    # Following, turning off, blocking
    "self": template("That is you. Nothing was changed."),
    "follow_of_self": template("That is you. Your own updates go to the people who follow you."),
    "account_not_there": template("That account is not there any more."),
    "no_audience": template("Choose first who hears it. Nothing was sent."),
    "no_followers_only": template(
        "Nothing is for followers alone here. Post it for everyone, name a closed group of yours, or send it privately."
        " Nothing was sent."
    ),
    "private_to_nobody": template("Name with @ to whom it is. Nothing was sent."),
    "never_changed": template("What was sent cannot be changed: phones have it already. Delete it and write it again."),
    "no_polls": template("Polls cannot be posted here yet. Ask with words. Nothing was posted."),
    "no_scheduling": template("Updates cannot be scheduled here yet. Nothing was posted."),
    "too_many_pinned": template("{number} pinned updates are the most. Unpin one first."),
    "too_many_lists": template("{number} lists are the most. Delete one first."),
    "list_full": template("A list has {number} people and groups at most. Nothing was changed."),
    "list_untitled": template("A list needs a name of at most {number} characters."),
    "list_of_group": template("That list is a group: join or leave it instead. Nothing was changed."),
    "list_gone": template("That list is gone."),
    "not_followed_yet": template("Follow them first: a list has only whom you follow. Nothing was changed."),
    "pin_of_own": template("You can only pin what you wrote for others. Nothing was changed."),
    "nobody_called": template("No one is called {name}. Nothing was sent."),
    "several_called": template("Several people are called {name}. Write the handle. Nothing was sent."),
    "account_gone": template("That account is gone. Nothing was changed."),
    "account_gone_unsent": template("That account is gone. Nothing was sent."),
    "apart": template("You cannot follow {name} now. Nothing was changed."),
    "bad_tag": template("A tag is # and at most 50 letters or digits, like #lunch. Nothing was changed."),
    "follow_gone": template("You no longer follow {name}. Nothing was changed."),
    "nothing_to_turn_off": template("You do not follow {name}, so there is nothing to turn off."),
    "not_followed": template("You do not follow {name}. To follow: FOLLOW {handle!u}"),
    "block_of_group": template("You can only block people. To hear nothing from {name}: MUTE {handle!u}"),
    "blocked_already": template("You blocked {name}, and that does more. To unblock: ON {handle!u}"),
    "nudge_of_group": template("You can only nudge people. To ask {name}: #{handle} text"),
    "nudge_of_self": template("That is you. Just text what you are doing."),
    # Tracking words
    "tag_not_followed": template("You do not follow {tag}. To follow: FOLLOW {tag!u}"),
    "phrase_not_tracked": template('You do not track "{phrase}". To track it: TRACK {form!u}'),
    "source_not_followed": template("You do not follow or track that. Nothing was changed."),
    "track_too_short": template('"{words}" is too short to track: use a word of two letters or more.'),
    "track_too_long": template(
        "That is too long to track: use a word, or a phrase in quotes of at most {words} words and {letters} letters."
    ),
    "track_too_frequent": template(
        '"{phrase}" is in {count} of the last {number} updates, too many to send. Track a phrase: TRACK "BOARD MEETING"'
    ),
    "unseen_out_of_range": template("Write a time of 1 to {most} minutes: UNSEEN 5M. Or: UNSEEN OFF"),
    "limit_out_of_range": template("Write a number of texts a day, from 1 to {most}: LIMIT 20. Or: LIMIT OFF"),
    "track_no_room": template("You track {number} words, and that is the most. To make room: UNTRACK WORD"),
    # Who wrote about something
    "topic_too_short": template('"{words}" is too short to look for: use a word of two letters or more.'),
    "topic_too_long": template("That is too long to look for: use at most {words} words and {letters} letters."),
    "topic_too_frequent": template('"{topic}" is in too many updates. Add a word, as in: WHO ABOUT BOARD MEETING'),
    # Groups
    "no_owner": template("{name} has no owner. Ask the people who run Critter."),
    "not_owner": template("Only the owners of {name} can add or remove people: {names}."),
    "member_left": template("{name} is no longer in {group}. Nothing was changed."),
    "member_is_group": template("{name} is a group, and only people can be in a group. Nothing was changed."),
    "group_in_use": template("{name} stays, because others are in it or ask to join. To leave: LEAVE {handle!u}"),
    "group_written": template("{name} stays, because there are updates in it."),
    # Names
    "taken": template("@{handle} is taken."),
    "taken_by_alias": template("“{word}” is an alias of @{handle}."),
    "bad_alias": template("“{word}” cannot be an alias. Use one word of letters and digits, at most 40."),
    "reserved_alias": template("“{word}” is a word that Critter uses itself. Choose another alias."),
    "alias_is_handle": template("“{word}” is a handle. Choose another alias."),
    "bad_language": template("That is no language tag. Write it like en, es or pt-BR. Nothing was changed."),
    "empty_name": template("A name needs at least one letter."),
    "long_name": template("A name can have at most {most} characters."),
    # Phones, mailboxes, invitations
    "bad_phone": template("That is not a phone number. Write it like +1 415 555 0123."),
    "bad_mailbox": template("That is not a mail address. Write it like kim@example.com."),
    "no_mailbox": template("You have no confirmed mailbox here, so nothing was changed. To add one: LOGIN"),
    "no_phone": template("You have no confirmed phone here, so nothing was changed. To add one: LOGIN"),
    "no_device": template("No device of yours gets pushes, so nothing was changed. To add one: LOGIN, then Settings"),
    "push_off": template("Pushes are not set up here. Ask an operator to run critter push-keys."),
    "push_service_refused": template(
        "The push service of this browser is not one that we may send to. Ask an operator about CRITTER_PUSH_HOSTS."
    ),
    "push_service_elsewhere": template(
        "Here nothing leaves this machine, so the push service of a browser cannot be reached. "
        "It can once Critter is live."
    ),
    "push_keys_wrong": template("The keys of this browser's pushes are not complete. Try again, or another browser."),
    "device_gone": template("That device is not yours, or it gets no pushes any more. Nothing was changed."),
    "address_gone": template("That phone or mailbox is not yours any more. Nothing was changed."),
    "phone_linked": template("This phone is yours already. To give it to somebody else, ask an operator."),
    "mailbox_linked": template("This mailbox is yours already. To give it to somebody else, ask an operator."),
    "no_invitations_by_mail": template(
        "Nobody can be invited by mail here yet. Ask an operator to set CRITTER_INVITE_DOMAINS."
    ),
    "mailbox_elsewhere": template("Only mail addresses at {names} can be invited."),
    "phone_abroad": template("Only phones in this country can be invited. Try their mail address."),
    "service_number": template("That is a service number, not a colleague's phone. Nobody was invited."),
    "here_already": template("That is {name} (@{handle}), who is here already."),
    "opted_out": template("They have opted out, and only they can undo that."),
    "address_of_leaver": template("That belonged to somebody who left. Ask an operator to add them."),
    "invited_lately": template("They were invited already. You can invite somebody only once in 30 days."),
    "invitations_a_day": template("You can invite {number} people a day. Go on tomorrow."),
    # Proofs
    "bad_passkey": template("That passkey is not known here, or it took too long. Try once more, or use a code."),
    "too_many_passkeys": template("{number} passkeys are the most. Remove one first."),
    "company_again": template("That took too long, or began in another window. Sign in with {company} once more."),
    "company_refused": template("The sign-in of {company} did not let you in. Use a code, or try once more."),
    "company_away": template("The sign-in of {company} does not answer. Use a code, or try again in a minute."),
    "company_stranger": template("{company} knows you, but nobody here has your mailbox. Ask an operator to add you."),
    "wrong_code": template("That is not the code, or it is too old. After five wrong ones send a new one."),
    "wrong_pin": template("That is not your PIN, or not the code that we sent. Nothing was changed."),
    "pins_differ": template("The two new PINs differ. Nothing was changed."),
    "no_place_for_code": template("You need a proved phone or mailbox first. Nothing was changed."),
    "channel_off": template("That is switched off here. Ask an operator."),
    "phone_unreachable": template("No texts go to that number from here. Ask an operator, or use another."),
    "address_unproved": template("Prove that one first: have a code sent there. Nothing was changed."),
    "last_address": template("It is the last one by which you can sign in. Add another first. Nothing was changed."),
    "consent_missing": template("Tick that you agree to get texts or mails there. Nothing was sent."),
    "codes_an_hour": template("One phone or mailbox can get three codes an hour. Try again in an hour."),
    "codes_a_day": template("One person can get {number} codes a day. Try again tomorrow."),
    "bad_pin": template("A PIN is 4 to 8 digits."),
    "easy_pin": template("That PIN is too easy to guess. Choose other digits."),
    "pin_ended": template("Your PIN has ended after twenty wrong tries. Ask an operator for a new one."),
    "digits_alone": template(
        "Digits alone may be your PIN, so nothing was posted or kept. To post them, put a dot in front."
    ),
    "locked": template(
        "Too many wrong codes or PINs. You cannot confirm anything for {hours}. An operator can unlock it."
    ),
    "locked_by_mail": template(
        "Too many wrong codes or PINs. You cannot confirm by mail for {hours}. Confirm by text, or ask an operator."
    ),
    "locked_by_text": template(
        "Too many wrong codes or PINs. You cannot confirm by text for {hours}. Confirm by mail, or ask an operator."
    ),
    # Looking up and reporting
    "named_gone": template("{name} is gone."),
    "closed_to_readers": template(
        "{name} is closed, and only its members can see that. To ask to join: JOIN {handle!u}"
    ),
    "nothing_received": template("Nothing has reached you here yet."),
    "no_longer_readable": template("The last update is no longer for you."),
    "no_update_of_yours": template("There is no update of yours there."),
    "nothing_to_report": template(
        "There is nothing to report: nothing has reached you here yet. To report a person: report NAME"
    ),
    "report_of_self": template("That is you. Nothing was reported."),
    # Taking back, questions, requests
    "nothing_to_undo": template("There is nothing to undo: you have done nothing in the last day."),
    "undone_already": template("What you did last is undone already."),
    "not_undoable": template("What you did last cannot be undone, and nothing before it was changed."),
    "question_run_out": template("That question has run out. Nothing was changed."),
    "key_of_another_request": template(
        "This idempotency key was used for another request. Nothing was done. Use a new key for each request."
    ),
    "bad_key": template("An idempotency key has 1 to {most} printable ASCII characters. Nothing was done."),
    "key_run_out": template("This request was done before, and its result is no longer kept. Nothing was done now."),
}
