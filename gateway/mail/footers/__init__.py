"""What stands below a writer's own words: signatures, contact details, device lines, disclaimers."""
