"""What the documents say is there: links, settings, make targets, folders, and the table of commands."""

import re
from pathlib import Path

import pytest

from critter.tools import handbook
from gateway.carriers.descriptors.registry import CARRIERS
from gateway.settings import Settings

ROOT = Path(__file__).parents[2]
PACKAGES = ["gateway", "handlers", "workers", "critter"]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
CODE = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
MODELS = (Settings, *(carrier.settings for carrier in CARRIERS.values()))
SETTINGS = sorted({field.alias for model in MODELS for field in model.model_fields.values() if field.alias})


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    text = CODE.sub("", page.read_text())
    wrong = [link for link in LINK.findall(text) if "://" not in link and not leads(page, link)]
    assert wrong == []


def leads(page: Path, link: str) -> bool:
    path, _, place = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not place or place in anchors(target))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = HEADING.findall(CODE.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_explained(name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", (ROOT / "docs" / "running.md").read_text(), re.MULTILINE)
    assert re.search(rf"^#{name}=", (ROOT / ".env.example").read_text(), re.MULTILINE)


def test_no_setting_is_explained_that_is_not_there() -> None:
    """But for the one that docs/extending.md adds on its walk."""
    text = "".join(page.read_text() for page in PAGES) + (ROOT / ".env.example").read_text()
    found = set(re.findall(r"\b(?:CRITTER|TWILIO|KANNEL)_[A-Z_]+\b", text))
    assert found - {"CRITTER_MAIL_FOLDER"} <= set(SETTINGS)


def test_the_table_of_commands_is_current() -> None:
    page = handbook.PAGE.read_text()
    assert handbook.refresh(page) == page, "run make docs"


def test_every_make_target_that_is_named_is_there() -> None:
    text = "".join(page.read_text() for page in PAGES)
    named = set(re.findall(r"(?:`|^)make(?: PYTHON=\S+)? ([a-z]+)", text, re.MULTILINE))
    assert named
    assert named <= set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


# Which docs/extending.md makes on its walks.
MADE_UP = {
    "gateway/carriers/mail_folder.py", "gateway/carriers/descriptors/mail_folder.py",
    "gateway/carriers/pigeon/sms.py", "gateway/carriers/descriptors/pigeon.py", "gateway/doors/sms/pigeon.py",
    "gateway/doors/web/settings/kept.py", "gateway/doors/api/accounts/since.py", "tests/doors/web/test_settings.py",
    "gateway/i18n/locales/fr.po", "migrations/versions/NNNN_name.sql",
}  # fmt: skip


def test_every_file_that_is_named_is_there() -> None:
    tops = "gateway|handlers|workers|critter|migrations|simulator|tests|bench|deploy|docs"
    found = {
        (named(page), path)
        for page in PAGES
        if page.name != "CHANGELOG.md"
        for path in re.findall(rf"(?<![\w/.-])((?:{tops})/[\w/.-]+\.(?:py|sql|tsv|po|csv))\b", page.read_text())
    }
    assert found
    assert {(page, path) for page, path in found if path not in MADE_UP and not (ROOT / path).exists()} == set()


def test_the_carrier_of_the_walk_is_one_that_works() -> None:
    """Its class, its two functions and its descriptor stand as they are tried in tests/carriers/test_toy_carrier.py."""
    page = (ROOT / "docs" / "extending.md").read_text()
    walk = page[page.index("## A carrier\n") : page.index("## A carrier for texts\n")]
    tried = (ROOT / "tests" / "support" / "mail_folder.py").read_text().replace("tests.support.", "gateway.carriers.")
    blocks = re.findall(r"^```python\n(.*?)^```$", walk, re.MULTILINE | re.DOTALL)
    of_the_class = blocks[0][blocks[0].index("class MailFolder:") :]
    assert of_the_class.strip() in tried
    assert all(part.strip() in tried for part in blocks[1].split("\n\n\n"))


def test_every_rule_that_code_names_by_number_is_explained() -> None:
    code = "".join(path.read_text() for top in PACKAGES for path in (ROOT / top).rglob("*.py"))
    named = {int(number) for number in re.findall(r"[(,] ?R(\d{1,2})\b", code)}
    explained = {int(number) for number in re.findall(r"^\| R(\d+) \|", (ROOT / "docs" / "rules.md").read_text(), re.M)}
    assert named
    assert named <= explained
