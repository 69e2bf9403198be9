"""No migration has a statement that keeps a door waiting; and each kind of such a statement is recognised."""

from pathlib import Path

import pytest

import migrations
from migrations import steps, unsafe

FIRST = "0001"  # it makes everything from nothing


@pytest.mark.parametrize("revision", [name for name in migrations.files() if name != FIRST])
def test_no_migration_stops_a_door(revision: str) -> None:
    path = migrations.files()[revision]
    found = list(unsafe.find_unsafe(steps.read(path)))
    assert not found, f"{path.name} would keep doors waiting (docs/extending.md, Migrations):\n" + "\n".join(found)


def complaints(tmp_path: Path, sql: str) -> list[str]:
    file = tmp_path / "0099_tried.sql"
    file.write_text(sql)
    return list(unsafe.find_unsafe(steps.read(file)))


@pytest.mark.parametrize(
    ("sql", "fix"),
    [
        ("CREATE INDEX posts_by_x ON posts (x);", "CONCURRENTLY"),
        ("CREATE UNIQUE INDEX posts_by_x ON posts (x);", "CONCURRENTLY"),
        ("create index posts_by_x on posts (x);", "CONCURRENTLY"),
        ("ALTER TABLE posts ADD CONSTRAINT c CHECK (x > 0);", "NOT VALID"),
        ("ALTER TABLE posts ADD CHECK (x > 0);", "NOT VALID"),
        ("ALTER TABLE posts ADD COLUMN y int, ADD CONSTRAINT c CHECK (x IN (1, 2));", "NOT VALID"),
        ("ALTER TABLE posts ADD CONSTRAINT c FOREIGN KEY (x) REFERENCES accounts;", "NOT VALID"),
        ("ALTER TABLE posts ADD CONSTRAINT c UNIQUE (x);", "USING INDEX"),
        ("ALTER TABLE posts ADD COLUMN x text NOT NULL DEFAULT 'a' CHECK (x IN ('a'));", "NOT VALID"),
        ("ALTER TABLE posts ADD COLUMN x bigint UNIQUE;", "CONCURRENTLY"),
        ("ALTER TABLE posts ADD COLUMN x bigint NOT NULL;", "DEFAULT"),
        ("ALTER TABLE posts ADD COLUMN x bigint DEFAULT new_id();", "fill it in batches"),
        ("ALTER TABLE posts ADD x uuid DEFAULT gen_random_uuid();", "fill it in batches"),
        ("ALTER TABLE posts ADD COLUMN x bigint DEFAULT 0 REFERENCES accounts;", "without a default"),
        ("ALTER TABLE posts ADD COLUMN x text GENERATED ALWAYS AS (lower(text)) STORED;", "in batches"),
        ("ALTER TABLE posts ALTER COLUMN x SET NOT NULL;", "IS NOT NULL) NOT VALID"),
        ("ALTER TABLE posts ADD CONSTRAINT c CHECK (y IS NOT NULL) NOT VALID;"
         "ALTER TABLE posts VALIDATE CONSTRAINT c; ALTER TABLE posts ALTER x SET NOT NULL;", "IS NOT NULL) NOT VALID"),
        ("ALTER TABLE posts ALTER COLUMN x TYPE bigint;", "add a column"),
        ("UPDATE posts SET x = 1;", "-- batch: posts by id"),
        ("WITH a AS (SELECT 1) UPDATE posts SET x = 1;", "-- batch: posts by id"),
        ("DELETE FROM posts WHERE x = 1;", "-- batch: posts by id"),
        ("INSERT INTO tags SELECT id, text FROM posts;", "-- batch:"),
        ("SELECT rewrite_everything();", "-- batch:"),
        ("DO $$ BEGIN UPDATE posts SET x = 1; END $$;", "plain statements"),
        ("BEGIN; ALTER TABLE posts VALIDATE CONSTRAINT c; SELECT 1; COMMIT;", "outside of BEGIN"),
        ("BEGIN; CREATE INDEX CONCURRENTLY i ON posts (x); SELECT 1; COMMIT;", "outside of BEGIN"),
        ("CREATE FUNCTION f() RETURNS int SECURITY DEFINER LANGUAGE sql AS 'SELECT 1';", "search_path"),
        ("VACUUM FULL posts;", "leave it out"),
        ("TRUNCATE posts;", "leave it out"),
    ],
)  # fmt: skip
def test_what_stops_a_door_is_refused_with_the_way_to_write_it(tmp_path: Path, sql: str, fix: str) -> None:
    [complaint] = complaints(tmp_path, sql)
    assert fix in complaint


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE kept (id bigint PRIMARY KEY, x text CHECK (x <> '')); CREATE INDEX kept_by_x ON kept (x);",
        "CREATE INDEX CONCURRENTLY posts_by_x ON posts (x);",
        "ALTER TABLE posts ADD COLUMN x bigint; ALTER TABLE posts ADD COLUMN y bigint REFERENCES accounts;",
        "ALTER TABLE posts ADD COLUMN x timestamptz NOT NULL DEFAULT now(), ADD COLUMN y int NOT NULL DEFAULT 0;",
        "ALTER TABLE posts ADD CONSTRAINT c CHECK (x IS NOT NULL) NOT VALID; ALTER TABLE posts VALIDATE CONSTRAINT c;"
        "ALTER TABLE posts ALTER COLUMN x SET NOT NULL; ALTER TABLE posts DROP CONSTRAINT c;",
        "-- batch: posts by id\nUPDATE posts SET x = 1 WHERE id BETWEEN :from AND :to;",
        "-- allow: one row\nUPDATE installation SET mode = 'live';",
        "BEGIN; DROP INDEX posts_by_x; ALTER INDEX posts_by_y RENAME TO posts_by_x; COMMIT;",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE posts SET x = 1; RETURN NULL; END $$;",
        "INSERT INTO breaker (parts) VALUES (0); SELECT 1;",
    ],
)
def test_what_is_safe_is_taken(tmp_path: Path, sql: str) -> None:
    assert complaints(tmp_path, sql) == []


@pytest.mark.parametrize(
    "sql",
    [
        "BEGIN; SELECT 1;",
        "COMMIT;",
        "-- batch: posts\nUPDATE posts SET x = 1 WHERE id BETWEEN :from AND :to;",
        "-- batch: posts by id\nUPDATE posts SET x = 1;",
    ],
)
def test_what_cannot_be_run_is_an_error(tmp_path: Path, sql: str) -> None:
    (tmp_path / "0099_tried.sql").write_text(sql)
    with pytest.raises(ValueError, match=r"BEGIN|COMMIT|batch"):
        steps.read(tmp_path / "0099_tried.sql")
