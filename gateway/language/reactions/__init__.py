"""Recognises reactions such as "Liked “…”" by their form, or by what they quote."""
