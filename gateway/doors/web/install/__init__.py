"""The pages as an app on a phone or desk: the manifest, the service worker, the page for when there is no network."""

from gateway.doors.web.shell.router import PageRouter

ROUTER = PageRouter("install")
