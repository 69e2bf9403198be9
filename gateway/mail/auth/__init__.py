"""Proves who wrote a mail by DNS, DKIM, SPF and DMARC, and judges their results together. It needs no database."""
