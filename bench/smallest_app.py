"""The peer of P3: the least that a Flask application can do with a web hook when its 200 means that the text is stored.

It uses Twilio's own RequestValidator, one row and one commit, and a connection for each thread, so that it waits for no
pool.
"""

from __future__ import annotations

import sys
import threading

import psycopg
from flask import Flask, Response, abort, request
from twilio.request_validator import RequestValidator

from critter.processes.gunicorn import WebServer

TABLE = """
    CREATE TABLE IF NOT EXISTS texts (sid text PRIMARY KEY, sender text, body text);
    GRANT SELECT ON texts TO PUBLIC
"""
ROW = "INSERT INTO texts VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"


def create_app(database_url: str, token: str, hook: str) -> Flask:
    app = Flask(__name__)
    validator = RequestValidator(token)
    own = threading.local()

    def connection() -> psycopg.Connection:
        if not hasattr(own, "connection"):
            own.connection = psycopg.connect(database_url, autocommit=True)
        made: psycopg.Connection = own.connection
        return made

    @app.post("/sms/inbound")
    def inbound() -> Response:
        if not validator.validate(hook, request.form, request.headers.get("X-Twilio-Signature", "")):
            abort(403)
        connection().execute(ROW, (request.form["MessageSid"], request.form["From"], request.form["Body"]))
        return Response("<Response/>", content_type="text/xml")

    return app


def main(database_url: str, token: str, hook: str, port: str) -> None:
    """On the same server as our own door, with the same number of threads."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(TABLE)
    WebServer(("127.0.0.1", int(port)), lambda: create_app(database_url, token, hook), lambda: None).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
