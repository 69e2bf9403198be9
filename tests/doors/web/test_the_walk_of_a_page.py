"""The page that docs/extending.md adds on its walk works as it stands there."""

import re
from pathlib import Path

from jinja2 import ChoiceLoader, DictLoader

from critter.processes import app as web
from gateway.doors.web import settings as settings_room
from gateway.doors.web.shell.router import PageRouter
from gateway.security.signed_tokens import Signer
from tests.doors.web.conftest import PageCompany

WALK = Path(__file__).parents[3] / "docs" / "extending.md"


def test_the_page_of_the_walk_works(company: PageCompany, monkeypatch) -> None:
    page = WALK.read_text()
    walk = page[page.index("## A page\n") : page.index("## An endpoint\n")]
    view, template = (re.search(rf"^```{kind}\n(.*?)^```$", walk, re.M | re.S)[1] for kind in ("python", "html"))
    router = PageRouter("walk")
    monkeypatch.setattr(settings_room, "ROUTER", router)
    exec(compile(view, "kept.py", "exec"), {})
    parts = web.build(company.settings)
    try:
        app = web.create_app(company.settings, parts)
        signer = Signer(company.settings.secret_keys)
        app.register_blueprint(router.blueprint(web._web_resources(company.settings, signer, parts, None)))
        app.jinja_loader = ChoiceLoader([app.jinja_loader, DictLoader({"settings/kept.html": template})])
        company.app = app
        company.says("kim", "hello")
        assert "1 update" in company.open("kim").words("/settings/kept")
        assert company.visitor().open("/settings/kept").location.startswith("/sign-in")
    finally:
        parts.close()
