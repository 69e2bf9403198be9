-- Signed mails that took effect: the same signature takes effect once, whatever is added to the mail and however it
-- comes. Kept for ever, as natural keys are; there is no foreign key, for a row outlives what it says.
CREATE TABLE mail_signatures (
    digest      bytea PRIMARY KEY,                                       -- SHA-256 of hash_key and a mark of the mail: its DKIM signature (b=), or its date, To and body
    inbound_id  bigint NOT NULL                                          -- the mail that has taken effect
);
