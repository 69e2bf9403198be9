"""Letting an app in: the page on which somebody says what an app may do for them."""

from gateway.doors.web.shell.router import PageRouter

ROUTER = PageRouter("apps")
