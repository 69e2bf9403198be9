"""Search: people by handle and name, tags, updates by words and by address."""

from tests.doors.api.conftest import ApiCompany

PLACE = "/api/v2/search"


def test_people_tags_and_updates(company: ApiCompany) -> None:
    sam = company.app_of("sam")
    post = company.says("kim", "the proposal #Launch")
    company.says("kim", "the secret proposal #Launder", to="board")
    company.says("kim", "a private proposal #Laundry", visibility="direct",
                 recipients=[(company.people["anne"], company.people["anne"])])  # fmt: skip
    found = sam.get(PLACE, q="proposal").json
    assert [each["id"] for each in found["statuses"]] == [str(post)]
    assert sam.get(PLACE, q="#laun").json["hashtags"] == [
        {"name": "launch", "url": f"{company.settings.public_url}/tags/launch", "history": []}
    ]
    host = company.settings.public_url.split("/")[2].split(":")[0]
    for asked in ("kim", "@kim", f"@kim@{host}", "Kim Lee", f"{company.settings.public_url}/@kim"):
        accounts = sam.get(PLACE, q=asked, resolve="true").json["accounts"]
        assert accounts[0]["acct"] == "kim", asked
    assert sam.get(PLACE, q="@kim@elsewhere.example", resolve="true").json["accounts"] == []
    assert [each["acct"] for each in sam.get(PLACE, q="acm", type="accounts").json["accounts"]] == ["acme"]
    assert sam.get(PLACE, q="kim", type="statuses").json["accounts"] == []
    assert sam.get("/api/v1/search", q="kim").json["accounts"] == sam.get(PLACE, q="kim").json["accounts"]
    assert sam.get(PLACE).status_code == sam.get(PLACE, q="x", type="everything").status_code == 422


def test_an_update_by_its_address(company: ApiCompany) -> None:
    sam, kim = company.app_of("sam"), company.app_of("kim")
    post, closed = company.says("kim", "hello"), company.says("kim", "closed", to="board")
    for asks, wanted, seen in ((sam, post, True), (sam, closed, False), (kim, closed, True), (kim, 7, False)):
        found = asks.get(PLACE, q=f"{company.settings.public_url}/updates/{wanted}", resolve="true").json
        assert [each["id"] for each in found["statuses"]] == ([str(wanted)] if seen else []), wanted
