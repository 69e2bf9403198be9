"""Who wrote a mail, without asking any database: DNS, DKIM, SPF, DMARC, and what these are worth together."""
