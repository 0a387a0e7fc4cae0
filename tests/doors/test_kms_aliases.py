"""Aliases and tags (kms.md 12, 13)."""

from datetime import timedelta

import pytest

from doors.kms import ACCOUNT, Kms
from doors.pki import refused

on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)
ALIASES = f"arn:aws:kms:us-east-1:{ACCOUNT}:"


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def k(storage):
    return Kms(storage)


@on_both
def test_aliases(k):
    first, second = k.create(), k.create()
    made = k.clock.now()
    k.kms.create_alias(AliasName="alias/a/b_c-D:9", TargetKeyId=first.rpartition("/")[2])
    k.clock.advance(timedelta(hours=1))
    k.kms.update_alias(AliasName="alias/a/b_c-D:9", TargetKeyId=second)
    answer = k.kms.list_aliases()
    assert answer["Truncated"] is False
    assert answer["Aliases"] == [
        {
            "AliasName": "alias/a/b_c-D:9",
            "AliasArn": f"{ALIASES}alias/a/b_c-D:9",
            "TargetKeyId": second.rpartition("/")[2],
            "CreationDate": made,
            "LastUpdatedDate": made + timedelta(hours=1),
        }
    ]
    assert k.kms.list_aliases(KeyId=first)["Aliases"] == []
    assert k.describe("alias/a/b_c-D:9")["Arn"] == second
    with refused("AlreadyExistsException", f"An alias with the name {ALIASES}alias/a/b_c-D:9 already exists"):
        k.kms.create_alias(AliasName="alias/a/b_c-D:9", TargetKeyId=first)
    k.installation.client("kms", region="eu-west-1").create_key()
    k.kms.delete_alias(AliasName="alias/a/b_c-D:9")
    for call in (k.kms.delete_alias, lambda **more: k.kms.update_alias(TargetKeyId=first, **more)):
        with refused("NotFoundException", f"Alias {ALIASES}alias/a/b_c-D:9 is not found."):
            call(AliasName="alias/a/b_c-D:9")


def test_names_that_are_refused(k):
    key = k.create()
    prefix = 'Alias must start with the prefix "alias/". Please see '
    for name, code, text in (
        ("app", "ValidationException", prefix),
        ("Alias/app", "ValidationException", prefix),
        (f"{ALIASES}alias/app", "ValidationException", ""),
        ("alias/aws/app", "InvalidAliasNameException", ""),
        ("alias/", "InvalidAliasNameException", ""),
        ("alias/a b", "ValidationException", "at 'aliasName'"),
        ("alias/é", "ValidationException", "at 'aliasName'"),
        ("alias/" + "x" * 251, "ValidationException", "at 'aliasName'"),
    ):
        with refused(code, text):
            k.kms.create_alias(AliasName=name, TargetKeyId=key)
    k.kms.create_alias(AliasName="alias/" + "x" * 250, TargetKeyId=key)
    with refused("NotFoundException"):
        k.kms.create_alias(AliasName="alias/app", TargetKeyId=key[:-1] + ("0" if key[-1] != "0" else "1"))


def test_an_alias_stays_with_a_kind_and_a_usage(k):
    keys = {
        "symmetric": k.create(),
        "mac": k.create("HMAC_256"),
        "signing": k.create("RSA_2048", "SIGN_VERIFY"),
        "encrypting": k.create("RSA_2048"),
        "agreeing": k.create("ECC_NIST_P256", "KEY_AGREEMENT"),
    }
    for name, key in keys.items():
        k.kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
        for other, target in keys.items():
            if other != name:
                with refused("ValidationException", "key type and key usage"):
                    k.kms.update_alias(AliasName=f"alias/{name}", TargetKeyId=target)
    k.kms.update_alias(AliasName="alias/signing", TargetKeyId=k.create("ECC_NIST_P256"))
    k.kms.update_alias(AliasName="alias/mac", TargetKeyId=k.create("HMAC_512"))


@on_both
def test_fifty_aliases_a_key(k):
    key, other = k.create(), k.create()
    for number in range(50):
        k.kms.create_alias(AliasName=f"alias/{number:02}", TargetKeyId=key)
    with refused("LimitExceededException"):
        k.kms.create_alias(AliasName="alias/50", TargetKeyId=key)
    k.kms.create_alias(AliasName="alias/50", TargetKeyId=other)
    with refused("LimitExceededException"):
        k.kms.update_alias(AliasName="alias/50", TargetKeyId=key)
    k.kms.update_alias(AliasName="alias/00", TargetKeyId=key)
    names = [f"alias/{number:02}" for number in range(51)]
    first = k.kms.list_aliases()
    rest = k.kms.list_aliases(Marker=first["NextMarker"])
    assert [each["AliasName"] for each in first["Aliases"] + rest["Aliases"]] == names
    assert (first["Truncated"], len(first["Aliases"]), rest["Truncated"]) == (True, 50, False)
    assert len(k.kms.list_aliases(Limit=100)["Aliases"]) == 51
    assert len(k.kms.list_aliases(KeyId=key, Limit=100)["Aliases"]) == 50
    with refused("InvalidMarkerException"):
        k.kms.list_aliases(KeyId=other, Marker=first["NextMarker"])


def tag(key, value=""):
    return {"TagKey": key, "TagValue": value}


def tags(k, key):
    return k.kms.list_resource_tags(KeyId=key)["Tags"]


@on_both
def test_tags(k):
    key = k.create(Tags=[tag("tag1", "1"), tag("tag2", "ß _.:/=+-@")])
    assert tags(k, key) == [tag("tag1", "1"), tag("tag2", "ß _.:/=+-@")]
    k.kms.tag_resource(KeyId=key, Tags=[tag("tag1", "other")])
    k.kms.tag_resource(KeyId=key, Tags=[tag("Tag1")])
    assert sorted(tags(k, key), key=str) == sorted(
        [tag("tag1", "other"), tag("tag2", "ß _.:/=+-@"), tag("Tag1")], key=str
    )
    k.kms.untag_resource(KeyId=key, TagKeys=["tag2", "unknown", "Tag1"])
    assert tags(k, key) == [tag("tag1", "other")]


def test_tags_that_are_refused(k):
    key = k.create(Tags=[tag(f"k{number:02}") for number in range(49)])
    with refused("TagException", "Duplicate tag keys"):
        k.kms.tag_resource(KeyId=key, Tags=[tag("a", "1"), tag("a", "2")])
    for name in ("aws:x", "AWS:x"):
        with refused("TagException", "Tags beginning with aws: are reserved"):
            k.kms.tag_resource(KeyId=key, Tags=[tag(name)])
        with refused("TagException", "Tags beginning with aws: are reserved"):
            k.create(Tags=[tag(name)])
    for call in (
        lambda: k.create(Tags=[tag(f"k{number}") for number in range(51)]),
        lambda: k.kms.tag_resource(KeyId=key, Tags=[tag("x"), tag("y")]),
    ):
        with refused("TagException", "Too many tags"):
            call()
    for bad in (tag(""), tag("k" * 129), tag("k", "v" * 257)):
        with refused("ValidationException", "at 'tags.1.member.tag"):
            k.kms.tag_resource(KeyId=key, Tags=[bad])
    assert len(tags(k, key)) == 49
    first = k.kms.list_resource_tags(KeyId=key, Limit=30)
    rest = k.kms.list_resource_tags(KeyId=key, Limit=30, Marker=first["NextMarker"])
    assert (first["Truncated"], rest["Truncated"]) == (True, False)
    assert first["Tags"] + rest["Tags"] == tags(k, key)
    with refused("InvalidMarkerException"):
        k.kms.list_resource_tags(KeyId=key, Marker="x")
