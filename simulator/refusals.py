"""Twilio's error answers: number, HTTP status and text (twilio.com/docs/api/errors), raised by the REST API."""

from typing import Any

REASONS: dict[int, tuple[int, str]] = {
    20001: (400, "Bad request"),
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal Server Error"),
    20503: (503, "Service Unavailable"),
    21211: (400, "The 'To' number is not a valid phone number."),
    21408: (400, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number."),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (400, "The 'From' phone number provided is not a valid, message-capable phone number of this account."),
    21608: (400, "The number is unverified. Trial accounts cannot send messages to unverified numbers."),
    21609: (400, "The StatusCallback URL is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit."),
    21701: (404, "The Messaging Service does not exist."),
    30034: (400, "The 'From' number is not registered with an approved campaign."),
}

# The `error_message` of a message that the carrier did not deliver.
UNDELIVERED: dict[int, str] = {
    30001: "Queue overflow",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Carrier violation",
    30008: "Unknown error",
}


class TwilioError(Exception):
    """One refusal, answered as JSON by the REST API."""

    def __init__(self, code: int, message: str | None = None, status: int | None = None) -> None:
        known_status, known_message = REASONS.get(code, (400, f"Error {code}"))
        self.code, self.status, self.message = code, status or known_status, message or known_message
        super().__init__(self.message)

    def body(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
