"""Signing in with the account of the company: to its own page and back."""

import hmac
import logging

from flask import Response, make_response, redirect, request
from werkzeug.exceptions import NotFound

from gateway.doors.web.sign_in import ROUTER, begin, company_provider
from gateway.doors.web.sign_in.code import refuse_many, sign_in_page
from gateway.doors.web.sign_in.company_provider import ProviderFailed
from gateway.doors.web.visits import cookies, signed_cookies
from gateway.doors.web.visits.visit import LONGEST_PATH, Visit, here
from gateway.i18n.refusals import refusal
from gateway.network.web import company_accounts

log = logging.getLogger(__name__)


@ROUTER.page("/sign-in/company", "visitor")
def to_company(visit: Visit) -> Response:
    """Nothing happens here by this: the browser only goes there, with what it must bring back in a cookie."""
    if not visit.settings.oidc_issuer:
        raise NotFound
    if refused := refuse_many(visit):
        return refused
    try:
        begun = company_provider.begin(visit.settings)
    except ProviderFailed as failed:
        return _failed(visit, failed)
    answer = make_response(redirect(begun.url, 303))
    kept = [begun.state, begun.nonce, begun.verifier, here(visit.arg("to", LONGEST_PATH))]
    signed_cookies.put(answer, visit.settings, visit.web.signer, cookies.COMPANY, kept)
    return answer


@ROUTER.page("/sign-in/company/back", "visitor")
def back(visit: Visit) -> Response:
    """Only this browser, which went there a moment ago, is signed in by it: `state` must be that of its cookie."""
    if not visit.settings.oidc_issuer:
        raise NotFound
    kept = signed_cookies.read(request, visit.settings, visit.web.signer, cookies.COMPANY)
    state, nonce, verifier, to = kept or ("", "", "", "/")
    if not state or not hmac.compare_digest(state, visit.arg("state", 500)):
        return _refused(visit, "company_again")
    if not visit.arg("code", 4_000):
        return _refused(visit, "company_refused")
    try:
        person = company_provider.complete(visit.settings, visit.arg("code", 4_000), nonce, verifier)
    except ProviderFailed as failed:
        return _failed(visit, failed)
    account = company_accounts.find(visit.session, person)
    if account is None:
        return _refused(visit, "company_stranger")
    return _forget(visit, begin(visit, account, "company", here(to)))


def _failed(visit: Visit, failed: ProviderFailed) -> Response:
    log.warning("the company's sign-in: %s", failed)
    return _refused(visit, "company_away", 502)


def _refused(visit: Visit, reason: str, status: int = 403) -> Response:
    page = sign_in_page(visit, wrong=refusal(reason, company=visit.settings.company).text)
    return _forget(visit, make_response(page, status))


def _forget(visit: Visit, answer: Response) -> Response:
    cookies.remove(answer, visit.settings, cookies.COMPANY)
    return answer
