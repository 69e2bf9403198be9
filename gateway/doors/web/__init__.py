"""The pages of the web door: what a short link opens, the end of a follow, health, and the front page."""
