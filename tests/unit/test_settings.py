"""Settings: the order of their sources, what is refused, and the words in which it is."""

from pathlib import Path

import pytest

from greatseal.settings import Address, Settings, SettingsError, default_data_directory, fields, load


def refused(environment: dict[str, str] | None = None, options: dict[str, object] | None = None, **more: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        load(environment or {}, options, **more)
    return str(caught.value)


def in_file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "greatseal.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_defaults_are_safe_and_complete(tmp_path: Path) -> None:
    settings = load({"GREATSEAL_DATA": str(tmp_path)})
    assert settings.server.listen == "127.0.0.1:8443"
    assert settings.server.http == "127.0.0.1:8080"
    assert not settings.server.insecure_http_api
    assert settings.account_id == "100000000000"
    assert settings.database_url == f"sqlite:///{tmp_path}/greatseal.db"
    assert settings.kek_file == tmp_path / "kek"


def test_later_sources_win(tmp_path: Path) -> None:
    file = in_file(tmp_path, 'region = "eu-west-1"\n[server]\nlisten = "h:1"\nhttp = "h:2"\nthreads = 3\n')
    environment = {"GREATSEAL_SERVER_LISTEN": "h:3", "GREATSEAL_SERVER_HTTP": "h:4"}
    settings = load(environment, {"server.listen": "h:5", "data": tmp_path}, file)
    assert (settings.region, settings.server.threads) == ("eu-west-1", 3)
    assert (settings.server.listen, settings.server.http) == ("h:5", "h:4")


def test_the_file_of_the_data_directory_is_read_by_itself(tmp_path: Path) -> None:
    in_file(tmp_path, 'account_id = "222222222222"\n')
    assert load({}, {"data": tmp_path}).account_id == "222222222222"


def test_a_named_file_may_choose_the_data_directory(tmp_path: Path) -> None:
    file = in_file(tmp_path, 'data = "here"\n[kek]\nfile = "../kek"\n')
    settings = load({"GREATSEAL_CONFIG": str(file)})
    assert settings.data == tmp_path / "here"
    assert settings.kek_file == tmp_path / "../kek"


def test_every_problem_is_reported_at_once_by_its_own_name(tmp_path: Path) -> None:
    file = in_file(tmp_path, 'regoin = "x"\n[server]\nlisen = "h:1"\nthreads = "many"\n[sever]\nhttp = "h:2"\n')
    text = refused({"GREATSEAL_LOG_LEVL": "info"}, {"account_id": "12", "data": tmp_path}, config=file)
    lines = text.splitlines()
    assert len(lines) == 6
    assert "environment variable GREATSEAL_LOG_LEVL: no such setting; did you mean GREATSEAL_LOG_LEVEL?" in lines
    assert f"{file}: regoin: no such setting; did you mean region?" in lines
    assert f"{file}: server.lisen: no such setting; did you mean server.listen?" in lines
    assert f"{file}: sever: no such setting" in text
    assert "option --account-id: expected `str` matching regex" in text
    assert f"{file}: server.threads: expected `int`" in text


def test_a_setting_in_the_wrong_section_is_found(tmp_path: Path) -> None:
    assert "did you mean server.listen?" in refused(config=in_file(tmp_path, 'listen = "h:1"\n'))


@pytest.mark.parametrize("text", ["", "h", "h:", ":1", "h:65536", "h:-1", "::1:80", "[h]:1x", "a b:1", "https://h:1"])
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="expected HOST:PORT"):
        Address(text)


@pytest.mark.parametrize(
    ("text", "host", "port"), [("0.0.0.0:443", "0.0.0.0", 443), ("[::1]:0", "::1", 0), ("db:65535", "db", 65535)]
)
def test_addresses(text: str, host: str, port: int) -> None:
    assert (Address(text).host, Address(text).port) == (host, port)


def test_secrets_are_refused_in_a_file_and_never_print(tmp_path: Path) -> None:
    text = refused(config=in_file(tmp_path, '[kek]\npassphrase = "hush-hush"\n'))
    assert "set GREATSEAL_KEK_PASSPHRASE" in text
    assert "hush" not in text
    root = {"GREATSEAL_ROOT_ACCESS_KEY_ID": "A" * 20, "GREATSEAL_ROOT_SECRET_ACCESS_KEY": "hush" * 10}
    settings = load(root | {"GREATSEAL_KEK_PASSPHRASE": "hush-hush", "GREATSEAL_DATABASE": "postgresql://u:hush@h/n"})
    assert settings.kek.passphrase == "hush-hush"
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ({"GREATSEAL_ROOT_ACCESS_KEY_ID": "A" * 20}, "set both or none"),
        ({"GREATSEAL_ROOT_SECRET_ACCESS_KEY": "s" * 40}, "set both or none"),
        (
            {"GREATSEAL_ROOT_ACCESS_KEY_ID": "A" * 20, "GREATSEAL_ROOT_SECRET_ACCESS_KEY": "short"},
            "shorter than 16 characters",
        ),
        ({"GREATSEAL_ROOT_ACCESS_KEY_ID": "A/" * 10, "GREATSEAL_ROOT_SECRET_ACCESS_KEY": "s" * 40}, "ACCESS_KEY_ID"),
        ({"GREATSEAL_KEK_PASSPHRASE": "x", "GREATSEAL_KEK_PASSPHRASE_FILE": "f"}, "exclude each other"),
        ({"GREATSEAL_SERVER_WORKERS": "0"}, "GREATSEAL_SERVER_WORKERS"),
        ({"GREATSEAL_ENABLED_REGIONS": "eu-west-1"}, "not among enabled_regions"),
        ({"GREATSEAL_SERVER_NAMES": "good.example,bad name"}, "'bad name' is neither"),
        ({"GREATSEAL_DATABASE": "mysql://h/n"}, "expected sqlite:///PATH or postgresql://"),
        ({"GREATSEAL_ACCOUNT_ID": "12345678901x"}, "GREATSEAL_ACCOUNT_ID"),
        ({"GREATSEAL_ACCOUNT_ID": "000000000000"}, "GREATSEAL_ACCOUNT_ID"),
        ({"GREATSEAL_REGION": "Europe"}, "GREATSEAL_REGION"),
        ({"GREATSEAL_CONFIG": "/does/not/exist.toml"}, "cannot be read"),
    ],
)
def test_what_does_not_fit_is_refused(environment: dict[str, str], text: str) -> None:
    assert text in refused(environment)


def test_lists_of_the_environment_are_separated_by_commas() -> None:
    assert load({"GREATSEAL_SERVER_NAMES": "a.example, 10.0.0.1,::1"}).server.names == ("a.example", "10.0.0.1", "::1")


def test_variables_of_a_kubernetes_service_and_empty_ones_are_passed_over() -> None:
    variables = ("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTPS", "PORT", "PORT_8443_TCP", "PORT_8443_TCP_ADDR")
    load({f"GREATSEAL_{name}": "10.0.0.1" for name in variables} | {"GREATSEAL_REGION": ""})


def test_the_default_directory_is_the_same_wherever_one_stands() -> None:
    assert default_data_directory({"XDG_DATA_HOME": "/x"}) == Path("/x/greatseal")
    assert default_data_directory({}).is_absolute()


def test_every_setting_has_a_line_of_documentation_and_a_variable_of_its_own() -> None:
    listed = list(fields())
    assert all(field.description.strip() for field in listed)
    assert len({field.environment for field in listed}) == len(listed)
    assert {name.split(".")[0] for name in (field.name for field in listed)} == set(Settings.__struct_fields__)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('s3_endpoint = "https://s3.example"\n', "go together"),
        ('access_key_id = "a"\nsecret_access_key = "b"\n', "go together"),
        ('s3_endpoint = "https://s3.example"\naccess_key_id = "a"\n', "go together"),
        (
            's3_endpoint = "https://s3.example"\naccess_key_id = "a"\n'
            'secret_access_key = "b"\nsecret_access_key_file = "c"\n',
            "exclude each other",
        ),
        ('s3_endpoint = "s3.example"\n', "objects.s3_endpoint: expected"),
        ('s3_endpoint = "https://s3.example/path"\n', "objects.s3_endpoint: expected"),
    ],
)
def test_an_object_store_outside_is_named_whole(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in refused(config=in_file(tmp_path, f"[objects]\n{text}"))


def test_an_object_store_outside(tmp_path: Path) -> None:
    whole = 's3_endpoint = "https://s3.example:9000"\naccess_key_id = "a"\nsecret_access_key_file = "secret"\n'
    settings = load({}, config=in_file(tmp_path, f"[objects]\n{whole}"))
    assert settings.objects.s3_endpoint == "https://s3.example:9000"
    assert settings.objects.path_style
    assert load({}, {"data": tmp_path / "other"}).objects.s3_endpoint is None


def test_routes_of_key_store_proxies(tmp_path: Path) -> None:
    name = "GREATSEAL_EXTERNAL_KEY_STORES_ROUTES"
    here = {"GREATSEAL_DATA": str(tmp_path)}
    found = load({**here, name: "xks.example.com=[::1]:8443,b=10.0.0.1:443"}).external_key_stores.routes
    assert [(each.host, each.to.host, each.to.port) for each in found] == [
        ("xks.example.com", "::1", 8443),
        ("b", "10.0.0.1", 443),
    ]
    for wrong in ("a=b:99999", "a", "=b:1", "a b=c:1", "a=b:0"):
        assert name in refused({**here, name: wrong})
