"""What a phone and we are talking about: what was sent, what is asked, what `more` gives next."""
