"""Who wrote a mail, without asking any database: DNS, DKIM, SPF, DMARC and the ladder. workers/proving asks."""
