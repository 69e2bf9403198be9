"""Checks whether our database role could rewrite the audit, for `critter check` and `critter audit`."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session


def gaps(session: Session) -> tuple[str, ...]:
    """What our role can do although it must not, in words; empty when the tables belong to another role, as they
    should."""
    row = session.execute(ASKED).mappings().one()
    return tuple(words for name, words in WORDS.items() if row[name])


WORDS: Final = {
    "superuser": "is a superuser",
    "roles": "may make itself a member of other roles",
    "owns": "owns the audit, or is a member of the role that does",
    "database": "owns the database or its schema",
    "functions": "owns functions that write the audit",
    "writes": "may change or empty the audit",
}
ASKED: Final = text(
    """
    SELECT r.rolsuper AS superuser,
           r.rolcreaterole AND current_setting('server_version_num')::int < 160000 AS roles,
           pg_has_role(c.relowner, 'MEMBER') AS owns,
           pg_has_role(d.datdba, 'MEMBER') OR pg_has_role(n.nspowner, 'MEMBER')
               OR has_schema_privilege(n.oid, 'CREATE') AS database,
           EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = n.oid AND p.proname LIKE 'audit%'
                   AND pg_has_role(p.proowner, 'MEMBER')) AS functions,
           has_table_privilege(c.oid, 'UPDATE') OR has_any_column_privilege(c.oid, 'UPDATE')
               OR has_table_privilege(c.oid, 'DELETE') OR has_table_privilege(c.oid, 'TRUNCATE')
               OR has_table_privilege(c.oid, 'TRIGGER') AS writes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, pg_roles r, pg_database d
    WHERE c.oid = 'audit'::regclass AND r.rolname = current_user AND d.datname = current_database()
""".replace("::", "\\:\\:")
)
