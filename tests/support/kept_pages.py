"""What each web application compiles anew, compiled once for a test process: its templates, and the functions by which
the addresses of its routes are made. Both depend on our files alone, and were half of what tests of pages cost."""

from types import CodeType
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


class KeptTemplates(BytecodeCache):
    """By name and place of a template, as long as its source stays the same."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key, bucket.checksum] = bucket.code


def keep_pages() -> None:
    """For the rest of this process."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": KeptTemplates()}
    compile_builder, kept = Rule._compile_builder, dict[Any, Any]()

    def kept_builder(rule: Rule, append_unknown: bool = True) -> Any:
        key = (tuple(rule._trace), append_unknown)
        if rule.defaults:  # they are compiled into it
            return compile_builder(rule, append_unknown)
        if key not in kept:
            kept[key] = compile_builder(rule, append_unknown)
        return kept[key]

    Rule._compile_builder = kept_builder
