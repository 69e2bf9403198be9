"""Pages for what somebody sets for themselves: what reaches them and when, phones and mailboxes, who they are here."""

from gateway.doors.web.shell.router import PageRouter

ROUTER = PageRouter("settings")
