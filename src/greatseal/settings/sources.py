"""Where settings come from: a file, the environment, the command line; and the checks across them.

Every problem of every source is reported at once, by the name it has there.
"""

import difflib
import ipaddress
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from greatseal.settings.channels import beside, channel_problems
from greatseal.settings.control import control_problems
from greatseal.settings.dns import dns_problems, found_from
from greatseal.settings.paths import DataPaths
from greatseal.settings.transparency import transparency_problems
from greatseal.settings.tree import KeyStoreSettings, Settings
from greatseal.settings.values import Section

ENVIRONMENT_PREFIX = "GREATSEAL_"
_SECRETS = frozenset(
    ("kek.passphrase", "root.secret_access_key", "audit.webhook_token", "mail.password", "upstream.eab_key")
)


class SettingsError(Exception):
    """Settings that cannot be used; the message has one line a problem."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Field:
    """One setting: its dotted name, its type and what `docs/settings.md` says about it."""

    name: str
    type: Any
    default: Any
    description: str

    @property
    def environment(self) -> str:
        """The variable that sets it."""
        return ENVIRONMENT_PREFIX + self.name.upper().replace(".", "_")

    @property
    def hidden(self) -> bool:
        """Whether it is a secret, which a settings file (it ends in a repository one day) must not hold."""
        return self.name in _SECRETS


def fields(section: type[msgspec.Struct] = Settings, prefix: str = "") -> Iterator[Field]:
    """Every setting, in the order of the tree."""
    for entry in msgspec.structs.fields(section):
        if _is_section(entry.type):
            yield from fields(entry.type, f"{prefix}{entry.name}.")
            continue
        default = None if entry.default is msgspec.NODEFAULT else entry.default
        description = next(meta.description for meta in entry.type.__metadata__ if meta.description)
        yield Field(prefix + entry.name, entry.type, default, description)


def load(
    environment: Mapping[str, str], options: Mapping[str, object] | None = None, config: Path | None = None
) -> Settings:
    """Reads all sources and checks them. Raises SettingsError.

    `options` maps dotted names to what the command line gave. `config` names the settings file; without
    it `GREATSEAL_CONFIG` does, and without that `greatseal.toml` in the data directory is read if it exists.
    """
    problems: list[str] = []
    chosen = _from_environment(environment, problems) | _from_options(options or {}, problems)
    named = config or (Path(environment["GREATSEAL_CONFIG"]) if environment.get("GREATSEAL_CONFIG") else None)
    if named:
        chosen = _from_file(named, problems) | chosen
    chosen.setdefault("data", default_data_directory(environment))
    own = DataPaths(chosen["data"]).config
    if not named and own.is_file():
        chosen = _from_file(own, problems) | chosen
    if not problems:
        problems = _conflicts(chosen)
    if problems:
        raise SettingsError(problems)
    settings: Settings = _tree(Settings, chosen)
    return settings


def default_data_directory(environment: Mapping[str, str]) -> Path:
    """`greatseal` below the user's data home (XDG Base Directory Specification), wherever one stands."""
    home = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "greatseal"


def _is_section(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section)


def _tree(section: type[Any], values: Mapping[str, Any], prefix: str = "") -> Any:
    arguments: dict[str, Any] = {}
    for entry in msgspec.structs.fields(section):
        name = prefix + entry.name
        if _is_section(entry.type):
            arguments[entry.name] = _tree(entry.type, values, name + ".")
        elif name in values:
            arguments[entry.name] = values[name]
    return section(**arguments)


def _from_environment(environment: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    known = {field.environment: field for field in fields()}
    found: dict[str, Any] = {}
    for variable, text in environment.items():
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable == "GREATSEAL_CONFIG" or not text:
            continue
        if field := known.get(variable):
            listed = [item.strip() for item in text.split(",")] if isinstance(field.default, tuple) else text
            _put(found, field, listed, f"environment variable {variable}", problems)
        elif not _KUBERNETES.fullmatch(variable):
            problems.append(f"environment variable {variable}: no such setting{_suggestion(variable, known)}")
    return found


# What Kubernetes puts into the environment of every pod beside a Service that is named "greatseal".
_KUBERNETES = re.compile(r"GREATSEAL_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\w+)?)")


def _from_options(options: Mapping[str, object], problems: list[str]) -> dict[str, Any]:
    known = {field.name: field for field in fields()}
    found: dict[str, Any] = {}
    for name, value in options.items():
        flag = "--" + name.removeprefix("server.").replace(".", "-").replace("_", "-")
        _put(found, known[name], value, f"option {flag}", problems)
    return found


def _from_file(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        problems.append(f"{path}: cannot be read: {error}")
        return {}
    known = {field.name: field for field in fields()}
    sections = {name.split(".")[0] for name in known if "." in name}
    found: dict[str, Any] = {}
    for key, value in _flat(document, sections):
        where = f"{path}: {key}"
        if key not in known:
            problems.append(f"{where}: no such setting{_suggestion(key, known)}")
        elif known[key].hidden:
            problems.append(f"{where}: a secret does not belong in a file; set {known[key].environment}")
        else:
            _put(found, known[key], value, where, problems)
    for name, value in found.items():
        if isinstance(value, Path):  # a file's paths are meant from where the file stands
            found[name] = path.parent.absolute() / value
        elif name == "key_stores":
            found[name] = {each: _beside(path, store) for each, store in value.items()}
        elif name == "channels":
            found[name] = {each: beside(path.parent.absolute(), channel) for each, channel in value.items()}
        elif name == "dns_providers":
            found[name] = {each: found_from(path.parent.absolute(), provider) for each, provider in value.items()}
    return found


def _beside(path: Path, store: KeyStoreSettings) -> KeyStoreSettings:
    folder = path.parent.absolute()
    return msgspec.structs.replace(store, module=folder / store.module, pin_file=folder / store.pin_file)


def _flat(document: Mapping[str, object], sections: set[str]) -> Iterator[tuple[str, object]]:
    for key, value in document.items():
        if key in sections and isinstance(value, dict):
            yield from ((f"{key}.{name}", inner) for name, inner in value.items())
        else:
            yield key, value


def _put(found: dict[str, Any], field: Field, value: object, where: str, problems: list[str]) -> None:
    """Checks one value of one source; text becomes what the field holds."""

    def decode(kind: Any, raw: Any) -> Any:
        if isinstance(raw, kind):
            return raw
        if not isinstance(raw, str):
            raise ValueError(f"expected text, got {type(raw).__name__}")
        return Path(raw).expanduser() if kind is Path else kind(raw)

    try:
        converted = msgspec.convert(value, field.type, strict=not isinstance(value, str | list), dec_hook=decode)
    except msgspec.ValidationError as error:
        problems.append(f"{where}: {str(error)[:1].lower()}{str(error)[1:]}")
        return
    found[field.name] = converted


def _suggestion(wrong: str, known: Mapping[str, object]) -> str:
    # The last part alone finds a setting that was written into the wrong section; of several, the first.
    by_last_part = {name.rpartition(".")[2]: name for name in reversed(list(known))}
    close = difflib.get_close_matches(wrong, known, 1, 0.7)
    close += [by_last_part[part] for part in difflib.get_close_matches(wrong.rpartition(".")[2], by_last_part, 1, 0.75)]
    return f"; did you mean {close[0]}?" if close else ""


def _outside_store(chosen: dict[str, Any]) -> list[str]:
    """An object store outside needs a whole credential, and a credential needs a store."""
    secrets = [name for name in ("objects.secret_access_key", "objects.secret_access_key_file") if chosen.get(name)]
    if len(secrets) == 2:
        return ["objects.secret_access_key and objects.secret_access_key_file exclude each other: set one"]
    given = [bool(chosen.get("objects.s3_endpoint")), bool(chosen.get("objects.access_key_id")), bool(secrets)]
    if any(given) and not all(given):
        return ["objects.s3_endpoint, objects.access_key_id and its secret go together: set all or none"]
    return []


def _conflicts(chosen: dict[str, Any]) -> list[str]:
    """What no single value shows; also makes the data directory absolute."""
    chosen["data"] = chosen["data"].absolute()
    problems = []
    if ("root.access_key_id" in chosen) != ("root.secret_access_key" in chosen):
        problems.append(
            "GREATSEAL_ROOT_ACCESS_KEY_ID and GREATSEAL_ROOT_SECRET_ACCESS_KEY go together: set both or none"
        )
    if chosen.get("kek.passphrase") and chosen.get("kek.passphrase_file"):
        problems.append("kek.passphrase and kek.passphrase_file exclude each other: set one")
    if chosen.get("kek.store") and (chosen.get("kek.passphrase") or chosen.get("kek.passphrase_file")):
        problems.append("kek.store and a passphrase exclude each other: set one")
    stores = chosen.get("key_stores", {})
    problems += [
        f"{name}: there is no key store {chosen[name]!r}: add a table [key_stores.{chosen[name]}]"
        for name in ("kek.store", "keys.authority_store", "keys.kms_store", "keys.ocsp_store")
        if name in chosen and chosen[name] not in stores
    ]
    problems += _outside_store(chosen)
    problems += channel_problems(chosen)
    problems += dns_problems(chosen)
    problems += control_problems(chosen)
    problems += transparency_problems(chosen)
    enabled, region = chosen.get("enabled_regions"), chosen.get("region", "us-east-1")
    if enabled and region not in enabled:
        problems.append(f"region {region} is not among enabled_regions: add it there")
    problems += [
        f"server.names: {name!r} is neither a DNS name nor an IP address"
        for name in chosen.get("server.names", ())
        if not _is_host(name)
    ]
    if len(chosen.get("root.secret_access_key", "*" * 16)) < 16:
        problems.append("GREATSEAL_ROOT_SECRET_ACCESS_KEY: shorter than 16 characters")
    database = chosen.get("database")
    if database and not re.match(r"sqlite:///.|postgres(ql)?(\+psycopg)?://.", database):
        problems.append("database: expected sqlite:///PATH or postgresql://USER@HOST/NAME")
    return problems


def _is_host(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return re.fullmatch(r"(\*\.)?([A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?\.?)+", name) is not None
    return True
