"""Mastodon's client API: one more door to what texts do, for every app that knows it. routers.py lists its parts."""
