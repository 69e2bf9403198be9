#!/bin/sh
# Makes Critter's two roles in a new database: the owner of the tables, and the one that the processes use.
# The image of PostgreSQL runs it once. A database that an older version made: docs/running.md, Two roles.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv owner_password CRITTER_OWNER_PASSWORD
\getenv password CRITTER_PASSWORD
CREATE ROLE critter_owner LOGIN CREATEDB PASSWORD :'owner_password';
CREATE ROLE critter LOGIN PASSWORD :'password';
GRANT critter TO critter_owner;
ALTER DATABASE critter OWNER TO critter_owner;
SQL
