"""Settings of DNS providers, of the name server and of a CA upstream."""

from pathlib import Path

import pytest

from greatseal.settings import Settings, SettingsError, load

GOOD = """
[dns_providers.primary]
kind = "rfc2136"
zones = ["example.com"]
server = "[::1]:53"
tsig_name = "k"
tsig_secret_file = "tsig"

[dns_providers.hoster]
kind = "lexicon"
hoster = "cloudflare"
zones = ["example.info"]
secret_files = { auth_token = "token" }

[zone_server]
listen = "127.0.0.1:0"
zones = ["v.example.net"]
nameservers = ["ns1.example.net"]

[upstream]
directory = "https://ca.example/directory"
contact = ["mailto:pki@example.com"]
"""


def loaded(folder: Path, text: str, **environment: str) -> Settings:
    (folder / "greatseal.toml").write_text(text)
    return load(environment, {"data": folder}, None)


def test_files_are_found_from_the_settings_file(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GOOD, GREATSEAL_UPSTREAM_EAB_KEY="a2V5", GREATSEAL_UPSTREAM_EAB_KEY_ID="1")
    assert settings.dns_providers["primary"].tsig_secret_file == tmp_path / "tsig"
    assert settings.dns_providers["hoster"].secret_files == {"auth_token": tmp_path / "token"}
    server = settings.dns_providers["primary"].server
    assert server is not None
    assert (server.host, server.port) == ("::1", 53)
    assert "a2V5" not in repr(settings)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('tsig_name = "k"', "", "dns_providers.primary: the kind rfc2136 needs `tsig_name`"),
        ('tsig_name = "k"', 'tsig_name = "k"\nregion = "eu"', "`region` is not for the kind rfc2136"),
        ('zones = ["example.info"]', 'zones = ["Example.com."]', "the zone Example.com. is also with primary"),
        ('zones = ["v.example.net"]', 'zones = ["example.com"]', "is also with the DNS provider primary"),
        ('zones = ["example.info"]', "zones = []", "dns_providers"),
        ('zones = ["example.info"]', 'zones = ["a b"]', "dns_providers"),
        ('listen = "127.0.0.1:0"', "", "go together"),
        ('hoster = "cloudflare"', 'hoster = "../x"', "dns_providers"),
        ("https://ca.example", "http://ca.example", "upstream.directory"),
        ("mailto:pki@example.com", "pki@example.com", "upstream.contact"),
        ("[upstream]", '[upstream]\neab_key_id = "1"', "go together"),
        ("[upstream]", '[upstream]\neab_key = "a2V5"', "a secret does not belong in a file"),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in GOOD
    with pytest.raises(SettingsError) as refused:
        loaded(tmp_path, GOOD.replace(old, new))
    assert told in str(refused.value)
