"""Reactions such as "Liked “…”": recognised by their form, or by what they quote."""
