"""Parameters mean the same however a client writes them, and never more than is sensible."""

import json
from typing import Any

import pytest
from flask import Flask, request
from pydantic import ValidationError
from werkzeug.exceptions import BadRequest

from gateway.doors.api.frame import parameters
from gateway.doors.api.frame.fields import Id, Parameters


class Poll(Parameters):
    options: tuple[str, ...]
    multiple: bool = False


class Post(Parameters):
    status: str = ""
    media_ids: tuple[Id, ...] = ()
    sensitive: bool = False
    poll: Poll | None = None
    fields: tuple[dict[str, str], ...] = ()


def read(**sent: Any) -> Post:
    with Flask("test").test_request_context("/", method="POST", **sent):
        return Post.model_validate(parameters.read(request))


WANTED = Post(status="é", media_ids=(1, 2), sensitive=True, poll=Poll(options=("a", "b"), multiple=True))
PAIRS = [("status", "é"), ("media_ids[]", "1"), ("media_ids[]", "2"), ("sensitive", "true"), ("poll[options][]", "a"),
         ("poll[options][]", "b"), ("poll[multiple]", "1"), ("in_reply_to_id", ""), ("x", "y")]  # fmt: skip
AS_JSON = {"status": "é", "media_ids": ["1", 2], "sensitive": True, "in_reply_to_id": None, "x": [{"y": 1}],
           "poll": {"options": ["a", "b"], "multiple": True}}  # fmt: skip


def test_json_forms_and_addresses_say_the_same() -> None:
    form: dict[str, Any] = {}
    for name, value in PAIRS:
        form.setdefault(name, []).append(value)
    assert read(json=AS_JSON) == WANTED
    assert read(data=form) == WANTED
    assert read(data=form, content_type="multipart/form-data") == WANTED
    assert read(query_string=form) == WANTED
    assert read(query_string={"status": "no"}, json=AS_JSON) == WANTED


def test_what_clients_write_otherwise() -> None:
    assert read(data={"media_ids": "7"}).media_ids == (7,)
    assert read(data={"sensitive": "", "media_ids[]": []}) == Post()
    numbered = {"fields[1][name]": "b", "fields[0][name]": "a"}
    assert read(data=numbered).fields == ({"name": "a"}, {"name": "b"})
    assert read(data=b"", content_type="application/json") == Post()


@pytest.mark.parametrize("wrong", ["x", "-1", "1_0", "٣", str(2**63), True, 1.5, "", [1]])
def test_an_id_has_digits_alone(wrong: object) -> None:
    with pytest.raises(ValidationError):
        Post.model_validate({"media_ids": [wrong]})


def test_too_much_and_too_deep_is_refused() -> None:
    deep: Any = "x"
    for _ in range(parameters.DEEPEST):
        deep = [deep]
    for sent in (
        {"json": {"status": deep}},
        {"json": {"media_ids": ["1"] * (parameters.LONGEST_LIST + 1)}},
        {"data": "[" * 50_000, "content_type": "application/json"},
        {"data": "{", "content_type": "application/json"},
        {"data": json.dumps([1]), "content_type": "application/json"},
        {"data": {"a" + "[b]" * parameters.DEEPEST: "x"}},
        {"data": {f"a{number}": "x" for number in range(parameters.MOST_NAMES + 1)}},
        {"json": {"status": "a\0b"}},
        {"json": {"status\0": "a"}},
        {"data": '{"status": "\\ud800"}', "content_type": "application/json"},
        {"data": {"a": "x", "a[b]": "y"}},
        {"data": {"a[b]": "x", "a[]": "y"}},
    ):
        with pytest.raises(BadRequest):
            read(**sent)
