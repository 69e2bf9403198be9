"""What is written on pages: updates, replies, private messages, reactions; and how it is taken back."""

from gateway.doors.web.shell.router import PageRouter

ROUTER = PageRouter("writing")
