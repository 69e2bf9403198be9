"""Finds the places in Python code that write tables of the database: statements written as SQL, statements built with
SQLAlchemy, new rows, and changed columns of rows."""

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeGuard

from gateway.store.tables import Table

TABLES: Final = "gateway.store.tables"
CLASSES: Final[Mapping[str, str]] = {
    mapper.class_.__name__: str(mapper.local_table.name) for mapper in Table.registry.mappers
}
UNSEEN: Final = "a table that is named elsewhere"  # the name is put into the SQL from outside of the string
_NAME: Final = r"(?:ONLY\s+)?(?:\"?\w+\"?\.)?\"?(?P<table>\w+|\{[^}]*\}|%s)\"?"
SQL: Final = (
    re.compile(rf"\b(?:INSERT|MERGE)\s+INTO\s+{_NAME}", re.IGNORECASE),
    re.compile(rf"\bDELETE\s+FROM\s+{_NAME}", re.IGNORECASE),
    re.compile(rf"(?<!FOR )(?<!KEY )(?<!DO )\bUPDATE\s+{_NAME}(?:\s+(?:AS\s+)?\w+)?\s+SET\b", re.IGNORECASE),
    re.compile(rf"\bTRUNCATE\s+(?:TABLE\s+)?{_NAME}", re.IGNORECASE),
    re.compile(rf"\bCOPY\s+{_NAME}\s*(?:\([^)]*\)\s*)?FROM\b", re.IGNORECASE),
)
BUILDERS: Final = ("insert", "update", "delete", "pg_insert", "merge")
BULK: Final = ("bulk_insert_mappings", "bulk_update_mappings", "bulk_save_objects")


@dataclass(frozen=True, slots=True)
class TableWrite:
    """One place that writes a table."""

    line: int
    table: str


Kinds = frozenset[str]  # names of table classes
NONE: Final[Kinds] = frozenset()


@dataclass(frozen=True, slots=True)
class RowSources:
    """What the annotations of the whole product say about rows: which functions return rows of which classes, by module
    and name, and which attributes of its classes hold one."""

    functions: Mapping[tuple[str, str], Kinds]
    attributes: Mapping[str, Kinds]


NOTHING_KNOWN: Final = RowSources({}, {})


@dataclass(frozen=True, slots=True)
class ReadModule:
    """A module's code, and what it imports. `rows`: its own name for each table class → the class; `origins`: its own
    name for anything → (the last part of where it is from, its name there)."""

    name: str
    tree: ast.Module
    definitions: Sequence[ast.AST]
    rows: Mapping[str, str]
    origins: Mapping[str, tuple[str, str]]


def read(source: str, name: str = "") -> ReadModule:
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    rows: dict[str, str] = {}
    origins: dict[str, tuple[str, str]] = {}
    for node in nodes:
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            own = alias.asname or alias.name
            origins[own] = (node.module or "").rpartition(".")[2], alias.name
            if node.module == TABLES and alias.name in CLASSES:
                rows[own] = alias.name
    definitions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    return ReadModule(name, tree, definitions, rows, origins)


def learn(modules: Iterable[ReadModule]) -> RowSources:
    """Reads the annotations of these modules."""
    functions: dict[tuple[str, str], Kinds] = {}
    attributes: dict[str, Kinds] = {}
    for module in modules:
        for node in module.definitions:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                key = module.name, node.name
                functions[key] = functions.get(key, NONE) | _classes(node.returns, module.rows)
            elif isinstance(node, ast.ClassDef):
                for one in node.body:
                    if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
                        name = one.target.id
                        attributes[name] = attributes.get(name, NONE) | _classes(one.annotation, module.rows)
    return RowSources(functions, attributes)


def _classes(annotation: ast.AST | None, names: Mapping[str, str]) -> Kinds:
    """The table classes that an annotation names, also one written as a string."""
    if annotation is None:
        return NONE
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval")
    found = {names.get(node.id, "") for node in ast.walk(annotation) if isinstance(node, ast.Name)}
    found |= {node.attr for node in ast.walk(annotation) if _of_tables(node)}
    return frozenset(found & CLASSES.keys())


def _of_tables(node: ast.AST) -> TypeGuard[ast.Attribute]:
    """Whether it is written as tables.Message."""
    return isinstance(node, ast.Attribute) and _last(node.value) == "tables" and node.attr in CLASSES


def find(module: ReadModule, known: RowSources = NOTHING_KNOWN) -> list[TableWrite]:
    """Every write in this module, in the order of its lines."""
    finder = _Finder(module, known)
    finder.visit(module.tree)
    return sorted(finder.found, key=lambda write: (write.line, write.table))


def every_write(sources: Mapping[str, str]) -> Iterator[tuple[str, TableWrite]]:
    """All writes of these modules (path → source), each with its path."""
    modules = {path: read(source, Path(path).stem) for path, source in sources.items()}
    known = learn(modules.values())
    for path, module in modules.items():
        yield from ((path, write) for write in find(module, known))


def of_tables(writes: Iterable[TableWrite], tables: Collection[str]) -> list[TableWrite]:
    """Those that write one of these tables, a partition of one, or a table that cannot be seen."""
    wanted = re.compile("|".join(rf"{table}(?:_default|_\d{{4}}_\d\d)?" for table in sorted(tables)))
    return [write for write in writes if write.table == UNSEEN or wanted.fullmatch(write.table)]


class _Finder(ast.NodeVisitor):
    """Walks one module. `_rows` are the variables that hold rows, by function."""

    def __init__(self, module: ReadModule, known: RowSources) -> None:
        self.found: list[TableWrite] = []
        self._known, self._module = known, module.name
        self._names, self._imported = module.rows, module.origins
        self._rows: list[dict[str, Kinds]] = [{}]

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._body(node)

    def visit_Module(self, node: ast.Module) -> None:
        self._body(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        rows = {each.arg: _classes(each.annotation, self._names) for each in given}
        self._rows.append(rows)
        self._body(node)
        self._rows.pop()

    def _body(self, node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Visits a body without its docstring, which is prose."""
        for one in node.body[1 if ast.get_docstring(node, clean=False) is not None else 0 :]:
            self.visit(one)

    # Statements as SQL

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._read_sql(node, node.value)
        elif isinstance(node.value, bytes):
            self._read_sql(node, node.value.decode("latin-1"))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._read_sql(node, _text(node))
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        whole = _text(node)
        if whole is not None and isinstance(node.op, ast.Add):
            self._read_sql(node, whole)
        else:
            self.generic_visit(node)

    def _read_sql(self, node: ast.expr, sql: str | None) -> None:
        for match in (match for pattern in SQL for match in pattern.finditer(sql or "")):
            name = match["table"]
            line = node.lineno + (sql or "").count("\n", 0, match.start())
            self.found.append(TableWrite(line, name.lower() if name.isidentifier() else UNSEEN))

    # Statements built with SQLAlchemy, and new rows

    def visit_Call(self, node: ast.Call) -> None:
        called = self._function_key(node.func)[1]
        if called in BUILDERS and node.args:
            self._write(node, self._table(node.args[0]))
        if called in BUILDERS and isinstance(node.func, ast.Attribute):
            self._write(
                node, self._table(node.func.value)
            )  # Message.__table__.insert(), session.query(Message).delete()
        if called in BULK:
            self._write(node, self._table(node.args[0]) if node.args else UNSEEN)
        if called in ("table", "Table") and node.args and isinstance(node.args[0], ast.Constant):
            self._write(node, str(node.args[0].value))
        if (made := self._class(node.func)) is not None:
            self._write(node, CLASSES[made])
        if called in ("setattr", "delattr", "delete", "merge") and node.args:
            self._write_rows(node, self._row(node.args[0]))
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if _last(node.value) == "tables" and isinstance(node.slice, ast.Constant):
            self._write(node, str(node.slice.value))  # Table.metadata.tables["messages"]
        self.generic_visit(node)

    def _write(self, node: ast.expr | ast.stmt, table: str | None) -> None:
        if table is not None:
            self.found.append(TableWrite(node.lineno, table))

    def _write_rows(self, node: ast.expr | ast.stmt, kinds: Kinds) -> None:
        for kind in kinds:
            self._write(node, CLASSES[kind])

    def _class(self, node: ast.AST) -> str | None:
        """The table class that an expression names: Message, tables.Message."""
        if isinstance(node, ast.Name):
            return self._names.get(node.id)
        return node.attr if _of_tables(node) else None

    def _table(self, node: ast.AST) -> str | None:
        """The table that an argument stands for: Message, Message.__table__, session.query(Message)."""
        if (found := self._class(node)) is not None:
            return CLASSES[found]
        if isinstance(node, ast.Attribute) and node.attr == "__table__":
            return self._table(node.value)
        if isinstance(node, ast.Call) and _last(node.func) == "query" and node.args:
            return self._table(node.args[0])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return self._table(node.func.value)  # session.query(Message).where(…)
        return None

    # Changed columns of rows

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._assign(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)
        self._assign(node.target, node.value, _classes(node.annotation, self._names))

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        self._assign(node.target, None)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self._assign(node.target, node.value)

    def visit_For(self, node: ast.For) -> None:
        self._assign(node.target, node.iter)
        self.generic_visit(node)

    def visit_withitem(self, node: ast.withitem) -> None:
        self.visit(node.context_expr)
        if node.optional_vars:
            self._assign(node.optional_vars, node.context_expr)

    def _assign(self, target: ast.AST, value: ast.AST | None, kinds: Kinds = NONE) -> None:
        """Notes a variable that holds a row from now on, or a column of a row that changes here."""
        if isinstance(target, ast.Tuple | ast.List):
            parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [value] * len(target.elts)
            for each, part in zip(target.elts, parts, strict=False):
                self._assign(each, part)
        elif isinstance(target, ast.Name):
            self._rows[-1][target.id] = kinds or (self._row(value) if value else NONE)
        elif isinstance(target, ast.Attribute):
            self._write_rows(target, self._row(target.value))

    def _row(self, node: ast.AST) -> Kinds:
        """The classes that the row, or the rows, of an expression may be of, as far as that can be seen."""
        if isinstance(node, ast.Name):
            return next((rows[node.id] for rows in reversed(self._rows) if node.id in rows), NONE)
        if isinstance(node, ast.Attribute):
            return self._known.attributes.get(node.attr, NONE)
        if isinstance(node, ast.Subscript | ast.Starred | ast.Await):
            return self._row(node.value)
        if isinstance(node, ast.IfExp):
            return self._row(node.body) | self._row(node.orelse)
        if isinstance(node, ast.BoolOp):
            return frozenset[str]().union(*map(self._row, node.values))
        return self._called(node) if isinstance(node, ast.Call) else NONE

    def _called(self, node: ast.Call) -> Kinds:
        """The rows that a call returns: of the product's own functions by their annotations, of SQLAlchemy's by what is
        asked for."""
        if (made := self._class(node.func)) is not None:
            return frozenset({made})
        if _last(node.func) in ("get", "get_one", "select", "query"):
            asked = frozenset(found for each in node.args if (found := self._class(each)))
            if asked:
                return asked
        if _last(node.func) in ("scalars", "scalar", "execute") and node.args:
            return self._row(node.args[0])
        if (key := self._function_key(node.func)) in self._known.functions:
            return self._known.functions[key]
        return self._row(node.func.value) if isinstance(node.func, ast.Attribute) else NONE

    def _function_key(self, called: ast.AST) -> tuple[str, str]:
        """Where a called function is defined: (module, name)."""
        if isinstance(called, ast.Attribute):
            owner = _last(called.value)
            return self._imported.get(owner, ("", owner))[1], called.attr
        name = _last(called)
        return self._imported.get(name, (self._module, name))


def _last(node: ast.AST) -> str:
    """The last part of a dotted name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.AST) -> str | None:
    """A string as far as it can be read here, with {} where something is put in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left), _text(node.right)
        return (
            None
            if left is None and right is None
            else f"{left if left is not None else '{}'}{right if right is not None else '{}'}"
        )
    return None
