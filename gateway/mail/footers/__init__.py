"""Recognises what is below a writer's own words: signatures, contact details, device lines, disclaimers."""
