"""The frame of the API: one call by an app, from its token and parameters to the answer. An endpoint says only what it
is (router.py); everything that all need is done here."""
