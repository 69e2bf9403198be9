"""Settings: defaults by mode, one clear line for every bad value, and modes that never mix."""

import os
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.settings import Settings, embedded, load, prices

SID = "AC" + "0123456789abcdef" * 2
LIVE = {
    "CRITTER_MODE": "live",
    "CRITTER_COMPANY": "Acme",
    "CRITTER_PUBLIC_URL": "https://critter.acme.example",
    "CRITTER_SECRET_KEY": "zyxwvuts01234567" * 2,
    "CRITTER_MAIL_DOMAIN": "critter.acme.example",
    "CRITTER_SMTP_RELAY": "smtp+starttls://user:p%40ss@relay.acme.example:587",
    "CRITTER_SMS_NUMBERS": "+15005550006, +15005550007",
    "TWILIO_ACCOUNT_SID": SID,
    "TWILIO_AUTH_TOKEN": "first,second",
}


@pytest.fixture
def simulated(tmp_path: Path) -> dict[str, str]:
    return {"CRITTER_VAR": str(tmp_path)}


def line(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        load(environ)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_simulated_needs_nothing(simulated: dict[str, str], tmp_path: Path) -> None:
    settings = load(simulated)
    assert (settings.mode, settings.company, settings.public_url) == (
        "simulated",
        "Critter Demo Co",
        "http://127.0.0.1:8000",
    )
    assert settings.twilio_api_base == "http://127.0.0.1:8001"
    assert settings.smtp_relay == "smtp://127.0.0.1:8025"
    assert settings.database_url == embedded.database_url(tmp_path)
    assert settings.redis_url == embedded.redis_url(tmp_path)
    assert settings.mail_trust == (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    assert settings.settle_seconds == 2
    assert (settings.sms_rate, settings.lease_seconds) == (1000, 5)
    assert (settings.fallback_listen, settings.fallback_url) == (("127.0.0.1", 8024), "http://127.0.0.1:8024")
    assert (settings.sms_intake, settings.sms_intake_seconds, settings.sender_limits) == ("webhook", 10, False)
    assert settings.whole_list_seconds == 10


def test_out_of_the_box_the_month_is_capped(simulated: dict[str, str]) -> None:
    live = load(LIVE)
    assert live.monthly_sms_budget == 4_000 * live.sms_price == Decimal("33.20")
    assert (live.daily_sms_budget, live.person_daily_parts, live.country_daily_parts) == (1_000, 500, 100)
    assert load(simulated).daily_sms_budget > 1_000_000  # simulated texts are free


def test_budgets_follow_from_each_other() -> None:
    settings = load({**LIVE, "CRITTER_MONTHLY_SMS_BUDGET": "83", "CRITTER_GROUP_DAILY_PARTS": "7"})
    assert (settings.daily_sms_budget, settings.person_daily_parts, settings.group_daily_parts) == (2_500, 1_250, 7)
    assert load({**LIVE, "CRITTER_MONTHLY_SMS_BUDGET": "0"}).daily_sms_budget == 0
    assert load({**LIVE, "CRITTER_SMS_PRICE": "0"}).daily_sms_budget == 1_000


def test_prices_are_those_of_the_country_and_a_file_comes_over_the_table(tmp_path: Path) -> None:
    home = load({**LIVE, "CRITTER_SMS_REGION": "GB"})
    assert (home.sms_price, home.price_of("US")) == (Decimal("0.0560"), Decimal("0.0083"))
    assert home.price_of("QA") == max(home.price_of(country) for country in ("US", "GB", "NG", "SA"))
    own = tmp_path / "own.csv"
    own.write_text("# ours\ncountry,out,in\nGB,0.04,\nQA,0.21,0.01\n")
    ours = load({**LIVE, "CRITTER_SMS_PRICES": str(own)})
    assert (ours.price_of("GB"), ours.price_of("QA")) == (Decimal("0.04"), Decimal("0.21"))
    assert (ours.sms_price, ours.price_of("DE")) == (Decimal("0.0083"), Decimal("0.1120"))
    for wrong in ("GB;0.04", "country,out,in\nGB,free,", "country,out,in\nGreat Britain,0.04,"):
        own.write_text(wrong)
        prices.read.cache_clear()
        assert line({**LIVE, "CRITTER_SMS_PRICES": str(own)}).startswith("CRITTER_SMS_PRICES: ")


def test_texts_stay_at_home_and_where_our_numbers_are() -> None:
    assert load(LIVE).sms_countries == ("US",)
    assert load({**LIVE, "CRITTER_SMS_NUMBERS": "+14155550100,+447400123456"}).sms_countries == ("US", "GB")
    assert load({**LIVE, "CRITTER_SMS_COUNTRIES": "us, ca"}).sms_countries == ("US", "CA")


def test_made_up_secret_is_kept_and_private(simulated: dict[str, str], tmp_path: Path) -> None:
    first, second = load(simulated), load(simulated)
    assert first == second
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"secret_key", "push_key"}
    assert (tmp_path / "push_key").stat().st_mode & 0o777 == 0o600
    assert first.twilio_account_sid.startswith("AC")
    assert len(first.twilio_account_sid) == 34


def test_live_from_the_fewest_settings(tmp_path: Path) -> None:
    settings = load({**LIVE, "CRITTER_VAR": str(tmp_path)})
    assert settings.twilio_api_base == "https://api.twilio.com"
    assert settings.sms_numbers == ("+15005550006", "+15005550007")
    assert settings.twilio_auth_tokens == ("first", "second")
    assert settings.mail_trust == ()
    assert (settings.settle_seconds, settings.sms_rate, settings.lease_seconds) == (60, 1, 20)
    assert (settings.sms_intake, settings.sms_intake_seconds, settings.sender_limits) == ("webhook", 120, True)
    assert settings.fallback_url is None
    polls = load({**LIVE, "CRITTER_VAR": str(tmp_path), "CRITTER_SMS_INTAKE": "poll"})
    assert (polls.sms_intake_seconds, polls.whole_list_seconds) == (5, 120)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", sorted(set(LIVE) - {"CRITTER_MODE"}))
def test_live_names_what_is_missing(name: str) -> None:
    assert line({key: text for key, text in LIVE.items() if key != name}).startswith(f"{name}: must be set in live")


@pytest.mark.parametrize(
    ("channel", "names"),
    [
        ("CRITTER_SMS", ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "CRITTER_SMS_NUMBERS"]),
        ("CRITTER_MAIL", ["CRITTER_MAIL_DOMAIN", "CRITTER_SMTP_RELAY"]),
    ],
)
def test_channel_switched_off_by_name_needs_nothing(channel: str, names: list[str]) -> None:
    settings = load({**{key: text for key, text in LIVE.items() if key not in names}, channel: "off"})
    assert (settings.sms, settings.mail) == (channel != "CRITTER_SMS", channel != "CRITTER_MAIL")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CRITTER_MODE", "demo"),
        ("CRITTER_COMPANY", "two\nlines"),
        ("CRITTER_PUBLIC_URL", "critter.example"),
        ("CRITTER_PUBLIC_URL", "https://user:pass@critter.example"),
        ("CRITTER_PUBLIC_URL", "https://critter.example/?a=b"),
        ("CRITTER_FALLBACK_URL", "ftp://critter.example"),
        ("CRITTER_SECRET_KEY", " , "),
        ("CRITTER_DATABASE_URL", "mysql://localhost/critter"),
        ("CRITTER_REDIS_URL", "localhost:6379"),
        ("CRITTER_WEB_LISTEN", "8000"),
        ("CRITTER_FALLBACK_LISTEN", "8024"),
        ("CRITTER_SMS_INTAKE", "both"),
        ("CRITTER_SMS_INTAKE_SECONDS", "0"),
        ("CRITTER_SMS_INTAKE_SECONDS", "soon"),
        ("CRITTER_SENDER_LIMITS", "10"),
        ("CRITTER_WEB_LISTEN", "127.0.0.1:0"),
        ("CRITTER_WEB_LISTEN", "127.0.0.1:99999"),
        ("CRITTER_SMTP_LISTEN", "127.0.0.1:smtp"),
        ("CRITTER_SIMULATOR_LISTEN", "127.0.0.1:65530"),
        ("CRITTER_SIMULATOR_LISTEN", "0.0.0.0:8001"),
        ("CRITTER_MAIL", "perhaps"),
        ("CRITTER_MAIL_DOMAIN", "localhost"),
        ("CRITTER_MAIL_TRUST", "10.0.0.1/8"),
        ("CRITTER_MAIL_TRUST", "0.0.0.0/0"),
        ("CRITTER_MAIL_TRUST", "everyone"),
        ("CRITTER_MAIL_LARGEST", "1000"),
        ("CRITTER_LMTP_LISTEN", "lmtp"),
        ("CRITTER_LMTP_LISTEN", "unix:/" + "x" * 107),
        ("CRITTER_SMTP_USERS", "relay:password"),
        ("CRITTER_SMTP_USERS", "relay:scrypt.31.8.1." + "A" * 22 + "." + "A" * 43),
        ("CRITTER_SMTP_RELAY", "relay.example:25"),
        ("CRITTER_SMTP_RELAY", "smtp://127.0.0.1:0"),
        ("CRITTER_SMS", "maybe"),
        ("CRITTER_SMS_NUMBERS", "5005550006"),
        ("CRITTER_SMS_NUMBERS", "55555"),
        ("CRITTER_SMS_NUMBERS", "+15005550006@pigeon"),
        ("CRITTER_SMS_NUMBERS", "+15005550006@"),
        ("CRITTER_SMS_NUMBERS", "+15005550006,+15005550006"),
        ("CRITTER_SMS_ROUTES", "+49"),
        ("CRITTER_SMS_ROUTES", "49=twilio"),
        ("CRITTER_SMS_ROUTES", "+1=twilio,+1=twilio"),
        ("CRITTER_SMS_ROUTES", "+49=kannel"),
        ("KANNEL_URL", "127.0.0.1:13013"),
        ("KANNEL_PASSWORD", "two words"),
        ("KANNEL_FROM", "0.0.0.0/0"),
        ("CRITTER_HOOK_SECRET", "whsec_not base64"),
        ("CRITTER_SMS_REGION", "us"),
        ("CRITTER_SMS_RATE", "0"),
        ("CRITTER_SMS_PRICE", "free"),
        ("CRITTER_MONTHLY_SMS_BUDGET", "-1"),
        ("CRITTER_MONTHLY_SMS_BUDGET", "NaN"),
        ("CRITTER_DAILY_SMS_BUDGET", "1.5"),
        ("CRITTER_PERSON_DAILY_PARTS", "-1"),
        ("CRITTER_SMS_COUNTRIES", "US,ZZ"),
        ("CRITTER_SMS_COUNTRIES", ","),
        ("CRITTER_SMS_REGION", "XX"),
        ("CRITTER_SMS_PRICES", "/nowhere/prices.csv"),
        ("TWILIO_ACCOUNT_SID", "SK" + "0" * 32),
        ("TWILIO_MESSAGING_SERVICE_SID", "MG1"),
        ("TWILIO_API_BASE", "api.twilio.com"),
        ("CRITTER_HOLD_SECONDS", "long"),
        ("CRITTER_LEASE_SECONDS", "0"),
        ("CRITTER_UNSAFE", "sometimes"),
        ("CRITTER_CRASH_AT", "-1"),
    ],
)
def test_bad_value_is_one_line_naming_the_setting(simulated: dict[str, str], name: str, text: str) -> None:
    assert line({**simulated, name: text}).startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("TWILIO_API_BASE", "https://api.twilio.com"),
        ("TWILIO_API_BASE", "http://10.0.0.1:8001"),
        ("KANNEL_URL", "http://10.0.0.1:13013/cgi-bin/sendsms"),
        ("CRITTER_HOOK_URL", "https://texts.example"),
        ("TWILIO_API_BASE", "http://127.0.0.1.evil.example"),
        ("TWILIO_API_BASE", "http://127.0.0.1@evil.example"),
        ("CRITTER_SMTP_RELAY", "smtp://relay.acme.example"),
        ("CRITTER_SMTP_RELAY", "smtp://127.0.0.1@relay.acme.example"),
        ("CRITTER_SMTP_RELAY", "smtp://8.8.8.8:25"),
    ],
)
def test_simulated_never_leaves_the_machine(simulated: dict[str, str], name: str, text: str) -> None:
    assert line({**simulated, name: text}).startswith(f"{name}: ")


@pytest.mark.parametrize("host", ["127.0.0.2", "localhost", "[::1]", "192.0.2.9", "198.51.100.1", "203.0.113.254"])
def test_simulated_may_use_other_services_here(simulated: dict[str, str], host: str) -> None:
    settings = load({**simulated, "TWILIO_API_BASE": f"http://{host}:9", "CRITTER_SMTP_RELAY": f"smtp://{host}:9"})
    assert settings.twilio_api_base == f"http://{host}:9"


@pytest.mark.parametrize(
    "base",
    [
        "http://api.twilio.com",
        "https://twilio.com.evil.example",
        "https://eviltwilio.com",
        "https://api.twilio.com@evil.example",
        "https://evil.example\\@api.twilio.com",
        "http://127.0.0.1:8001",
    ],
)
def test_live_talks_to_twilio_alone(base: str) -> None:
    assert line({**LIVE, "TWILIO_API_BASE": base}).startswith("TWILIO_API_BASE: ")


def test_live_regional_host_and_weak_secret_and_unsafe() -> None:
    assert load({**LIVE, "TWILIO_API_BASE": "https://api.dublin.ie1.twilio.com/"}).twilio_api_base.endswith(".com")
    assert line({**LIVE, "CRITTER_SECRET_KEY": "secret"}).startswith("CRITTER_SECRET_KEY: needs 32")
    assert line({**LIVE, "CRITTER_UNSAFE": "on"}).startswith("CRITTER_UNSAFE: ")
    assert line({**LIVE, "CRITTER_CRASH_AT": "3"}).startswith("CRITTER_CRASH_AT: ")


def test_what_needs_a_certificate_says_so(simulated: dict[str, str]) -> None:
    user = "relay:scrypt.13.8.10." + "A" * 22 + "." + "A" * 43
    for name, text in (("CRITTER_SMTPS_LISTEN", "127.0.0.1:2465"), ("CRITTER_SMTP_USERS", user)):
        assert line({**simulated, name: text}).startswith("CRITTER_TLS_KEY: must be set")
    assert line({**simulated, "CRITTER_TLS_KEY": "key.pem"}).startswith("CRITTER_TLS_CERT: must be set")
    whole = {"CRITTER_TLS_CERT": "cert.pem", "CRITTER_TLS_KEY": "key.pem", "CRITTER_SMTP_USERS": user}
    settings = load({**simulated, **whole, "CRITTER_LMTP_LISTEN": "unix:/run/critter/lmtp"})
    assert (settings.lmtp_listen, settings.mail_largest) == ("/run/critter/lmtp", 10 * 1024 * 1024)
    assert "A" * 22 not in repr(settings)


def test_given_values_are_used(simulated: dict[str, str]) -> None:
    given = {"TWILIO_ACCOUNT_SID": SID, "TWILIO_AUTH_TOKEN": "t", "CRITTER_SMS_PRICE": "0.01", "CRITTER_MAIL": "off"}
    settings = load({**simulated, **given, "CRITTER_DATABASE_URL": "postgres://db/critter", "CRITTER_COMPANY": ""})
    assert (settings.twilio_account_sid, settings.twilio_auth_tokens) == (SID, ("t",))
    assert settings.sms_price == Decimal("0.01")
    assert settings.database_url == "postgresql://db/critter"
    assert settings.company == "Critter Demo Co"
    assert not settings.mail


def test_everything_follows_its_ports(simulated: dict[str, str]) -> None:
    ports = {"CRITTER_WEB_LISTEN": "0.0.0.0:8100", "CRITTER_SIMULATOR_LISTEN": "[::1]:8101"}
    settings = load({**simulated, **ports})
    assert settings.public_url == "http://127.0.0.1:8100"
    assert settings.twilio_api_base == "http://[::1]:8101"
    assert settings.smtp_relay == "smtp://[::1]:8125"


def test_secrets_are_not_in_the_repr() -> None:
    shown = repr(load(LIVE))
    assert not any(secret in shown for secret in ("first", "kkkk", "p%40ss"))


def test_env_file_is_read_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("CRITTER_", "TWILIO_"))]:
        monkeypatch.delenv(name)
    (tmp_path / ".env").write_text("# ours\nCRITTER_COMPANY='Acme $HOME'\nCRITTER_WEB_LISTEN=127.0.0.1:8100\n")
    monkeypatch.setenv("CRITTER_WEB_LISTEN", "127.0.0.1:8200")
    settings = load()
    assert (settings.company, settings.web_listen) == ("Acme $HOME", ("127.0.0.1", 8200))
    assert settings.var == tmp_path / "var"


def test_misspelt_name_in_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("CRITTER_WEBLISTEN=127.0.0.1:8100\n")
    with pytest.raises(SettingsError, match=r"^CRITTER_WEBLISTEN: .* did you mean CRITTER_WEB_LISTEN\?"):
        load()


def test_secret_that_cannot_be_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert line({"CRITTER_VAR": str(tmp_path / "file")}).startswith("CRITTER_VAR: ")


def test_env_example_names_every_setting() -> None:
    written = (Path(__file__).parents[2] / ".env.example").read_text()
    for field in Settings.model_fields.values():
        assert f"{field.alias}=" in written


def test_socket_folder_fits_the_kernels_limit(tmp_path: Path) -> None:
    assert embedded.socket_folder(Path("/srv/critter/var")) == Path("/srv/critter/var/run")
    assert embedded.socket_folder(Path("/srv/my critter/var")).parent == Path("/tmp")
    long = embedded.socket_folder(tmp_path / ("x" * 100))
    assert long.parent == Path("/tmp")
    assert long == embedded.socket_folder(tmp_path / ("x" * 100))
    assert long != embedded.socket_folder(tmp_path / ("y" * 100))


KANNEL = {
    "KANNEL_URL": "http://127.0.0.1:13013/cgi-bin/sendsms",
    "KANNEL_USERNAME": "critter",
    "KANNEL_PASSWORD": "a password",
    "KANNEL_TOKEN": "t" * 32,
}
HOOK = {"CRITTER_HOOK_URL": "https://texts.acme.example/out", "CRITTER_HOOK_SECRET": "h" * 32}


def test_numbers_name_their_carriers(simulated: dict[str, str]) -> None:
    numbers = "+15005550006, +4915550100@kannel, 55555@twilio"
    given = {**simulated, **KANNEL, "KANNEL_PASSWORD": "p", "CRITTER_SMS_NUMBERS": numbers}
    settings = load({**given, "CRITTER_SMS_ROUTES": "+49=kannel, *=twilio"})
    assert settings.sms_numbers == ("+15005550006", "+4915550100", "55555")
    assert settings.sms_carriers == ("twilio", "kannel")
    assert settings.numbers_with("twilio") == ("+15005550006", "55555")
    assert [(route.prefix, route.carrier) for route in settings.sms_routes] == [("+49", "kannel"), ("", "twilio")]


def test_live_without_twilio_needs_nothing_of_it() -> None:
    given = {name: text for name, text in LIVE.items() if not name.startswith("TWILIO")}
    numbers = {"CRITTER_SMS_NUMBERS": "+4915550100@kannel,55555@hook"}
    settings = load({**given, **KANNEL, "KANNEL_PASSWORD": "p", **HOOK, **numbers})
    assert settings.sms_carriers == ("kannel", "hook")


@pytest.mark.parametrize("name", [*KANNEL, *HOOK])
def test_a_number_needs_the_settings_of_its_carrier(simulated: dict[str, str], name: str) -> None:
    context = {**KANNEL, "KANNEL_PASSWORD": "p", **HOOK, "CRITTER_HOOK_URL": "http://127.0.0.1:9/out"}
    given = {**simulated, **context, "CRITTER_SMS_NUMBERS": "+4915550100@kannel,55555@hook"}
    load(given)
    assert line({key: text for key, text in given.items() if key != name}).startswith(f"{name}: must be set, for")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CRITTER_HOOK_URL", "http://texts.acme.example/out"),
        ("CRITTER_HOOK_SECRET", "short"),
        ("KANNEL_TOKEN", "short"),
    ],
)
def test_live_keeps_the_other_carriers_safe(name: str, text: str) -> None:
    given = {**LIVE, **KANNEL, "KANNEL_PASSWORD": "p", **HOOK, "CRITTER_SMS_NUMBERS": "+4915550100@kannel,55555@hook"}
    load(given)
    assert line({**given, name: text}).startswith(f"{name}: ")


@pytest.mark.parametrize(
    "url",
    [
        "redis://redis.acme.example:6379/0",
        "redis://127.0.0.1/0",
        "redis://:@redis.acme.example/0",
        "redis://critter@redis.acme.example/0",
        "rediss://redis.acme.example/0",
        "redis://redis.acme.example/0?password=",
        "redis://redis.acme.example/0?username=critter&passwort=x",
    ],
)
def test_live_takes_no_redis_on_the_network_without_a_password(url: str) -> None:
    told = line({**LIVE, "CRITTER_REDIS_URL": url})
    assert told.startswith("CRITTER_REDIS_URL: has no password")
    assert load({**LIVE, "CRITTER_REDIS_URL": url, "CRITTER_REDIS_NO_PASSWORD": "on"}).redis_url == url


@pytest.mark.parametrize(
    "url",
    [
        "redis://:secret@redis.acme.example:6379/0",
        "rediss://critter:secret@redis.acme.example/0",
        "rediss://critter:p%40ss@redis.acme.example/0?ssl_ca_certs=/etc/ssl/redis.pem",
        "redis://redis.acme.example/0?password=secret",
        "unix:///run/redis/redis.sock?db=0",
    ],
)
def test_live_takes_a_redis_with_a_password_or_on_a_socket(url: str) -> None:
    assert load({**LIVE, "CRITTER_REDIS_URL": url}).redis_url == url


def test_simulated_takes_any_redis(simulated: dict[str, str]) -> None:
    assert load({**simulated, "CRITTER_REDIS_URL": "redis://127.0.0.1/0"}).redis_url == "redis://127.0.0.1/0"


def test_a_password_of_redis_is_never_shown() -> None:
    for url in ("redis://:s3cret@host:port/0", "http://:s3cret@host/0", "redis://:s3cret@host:0/0"):
        assert "s3cret" not in line({**LIVE, "CRITTER_REDIS_URL": url})
    assert "s3cret" not in repr(load({**LIVE, "CRITTER_REDIS_URL": "redis://:s3cret@host/0"}))
