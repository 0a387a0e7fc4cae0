"""Every operation of a served model is implemented, or stands with its reason on the list of those that are not yet."""

from botocore.session import get_session

from greatseal.aws import catalogue


def test_every_operation_is_served_or_listed() -> None:
    for service in catalogue.SERVICES:
        modelled = set(get_session().get_service_model(service).operation_names)
        done, listed = set(catalogue.implemented(service)), set(catalogue.NOT_YET.get(service, {}))
        assert done | listed == modelled, f"{service}: {sorted(modelled ^ (done | listed))}"
        assert not done & listed, f"{service}: implemented and listed as not yet: {sorted(done & listed)}"


def test_every_missing_operation_has_a_reason() -> None:
    assert set(catalogue.NOT_YET) <= set(catalogue.SERVICES)
    for service, operations in catalogue.NOT_YET.items():
        for operation, reason in operations.items():
            assert len(reason.split()) >= 3, f"{service} {operation}"
