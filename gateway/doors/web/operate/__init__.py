"""Pages for operators: whether everything flows, the story of a delivery, held mails, numbers, costs, people, audit."""

from gateway.doors.web.shell.router import PageRouter

ROUTER = PageRouter("operate")
