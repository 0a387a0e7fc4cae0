"""Findings in and out over the wire (workflows.md 5)."""

import pytest

from doors.hub import ACCOUNT, PRODUCT, emitted, finding, ids, put, refused, text
from greatseal.testing import Installation

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
LABELS = ((0, "INFORMATIONAL"), (1, "LOW"), (39, "LOW"), (40, "MEDIUM"), (69, "MEDIUM"), (70, "HIGH"), (90, "CRITICAL"))


@pytest.fixture
def installation(storage):
    return Installation(storage)


@pytest.fixture
def hub(installation):
    return installation.client("securityhub")


def only(hub):
    (found,) = hub.get_findings()["Findings"]
    return found


def test_a_finding_comes_back_with_what_the_service_adds(hub):
    put(hub, finding(ProductFields={"ProductName": "ACM PCA"}))
    found = only(hub)
    assert found["Severity"] == {"Normalized": 60, "Label": "MEDIUM"}
    assert found["Workflow"] == {"Status": "NEW"}
    assert found["RecordState"] == "ACTIVE"
    assert (found["CompanyName"], found["ProductName"], found["Region"]) == ("Personal", "Default", "us-east-1")
    assert found["ProductFields"]["ProductName"] == "ACM PCA"
    assert found["FindingProviderFields"] == {"Severity": {"Label": "MEDIUM"}, "Types": ["Unusual Behaviors"]}


@pytest.mark.parametrize(("number", "label"), LABELS)
def test_severities_have_both_a_number_and_a_label(hub, number, label):
    put(hub, finding("a", Severity={"Normalized": number}), finding("b", Severity={"Label": label}))
    found = {each["Id"]: each["Severity"] for each in hub.get_findings()["Findings"]}
    assert found["a"] == {"Normalized": number, "Label": label}
    assert found["b"]["Label"] == label
    assert found["b"]["Normalized"] <= number


def test_an_import_is_an_event(hub, installation):
    put(hub, finding())
    (event,) = emitted(installation, "Security Hub Findings - Imported")
    assert event["source"] == "aws.securityhub"
    assert event["resources"] == [f"{PRODUCT}/f-1"]
    assert event["detail"]["findings"][0]["Title"] == "Something"


def test_the_same_id_is_updated_but_not_by_an_older_word(hub):
    put(hub, finding(UpdatedAt="2026-01-15T12:00:05Z", Title="second"))
    put(hub, finding(UpdatedAt="2026-01-15T12:00:01Z", Title="first"))
    assert only(hub)["Title"] == "second"
    put(hub, finding(UpdatedAt="2026-01-15T13:00:05+01:00", Title="third"))
    assert only(hub)["Title"] == "third"


def test_another_product_is_another_finding(hub):
    put(hub, finding(), finding(ProductArn="arn:aws:securityhub:us-east-1::product/acme/scanner"))
    assert len(hub.get_findings()["Findings"]) == 2


WRONG = (
    ({"AwsAccountId": "999988887777"}, "should be '111122223333'"),
    ({"ProductArn": PRODUCT.replace(ACCOUNT, "999988887777")}, "data.ProductArn"),
    ({"ProductArn": PRODUCT.replace("us-east-1", "eu-west-1")}, "data.ProductArn"),
    ({"ProductArn": "product"}, "data.ProductArn"),
    ({"SchemaVersion": "2019"}, "data.SchemaVersion should be equal to one of the allowed values"),
    ({"CreatedAt": "yesterday"}, 'data.CreatedAt should match format "date-time"'),
    ({"UpdatedAt": "2026-02-30T00:00:00Z"}, 'data.UpdatedAt should match format "date-time"'),
    ({"UpdatedAt": "2026-01-15T12:00:00"}, "data.UpdatedAt"),
    ({"UpdatedAt": "0001-01-01T00:00:00+14:00"}, "data.UpdatedAt"),
    ({"LastObservedAt": "2026-01-15"}, "data.LastObservedAt"),
    ({"Severity": None}, "data should have required property 'Severity'"),
    ({"Severity": {}}, "data.Severity should NOT have fewer than 1 properties"),
    ({"Severity": {"Normalized": 101}}, "data.Severity.Normalized"),
    ({"Confidence": -1}, "data.Confidence"),
    ({"Types": ["My Own"]}, "data.Types[0]"),
    ({"Types": ["TTPs/a/b/c"]}, "data.Types[0]"),
    ({"Resources": []}, "data.Resources should NOT have fewer than 1 items"),
    ({"Resources": [{"Type": "Other", "Id": "x"}] * 33}, "data.Resources should NOT have more than 32 items"),
    ({"Title": "x" * 257}, "data.Title should NOT be longer than 256 characters"),
    ({"Description": "x" * 1025}, "data.Description should NOT be longer than 1024 characters"),
    ({"Id": "x" * 513}, "data.Id should NOT be longer than 512 characters"),
    ({"ProductFields": {str(n): "v" for n in range(51)}}, "data.ProductFields"),
    ({"ProductFields": {"k": "v" * 2049}}, "data.ProductFields"),
    (
        {"Remediation": {"Recommendation": {"Text": "x" * 513}}},
        "data.Remediation.Recommendation.Text should NOT be longer than 512 characters",
    ),
    ({"Malware": [{"Name": "x" * 60_000}] * 5}, "240 KB"),
)


@pytest.mark.parametrize(("change", "sentence"), WRONG)
def test_what_does_not_adhere_to_the_format_fails_alone(hub, change, sentence):
    answer = hub.batch_import_findings(Findings=[finding("good"), finding(**{"id": "bad", **change})])
    assert (answer["SuccessCount"], answer["FailedCount"]) == (1, 1)
    (failure,) = answer["FailedFindings"]
    assert failure["ErrorCode"] == "InvalidInput"
    assert sentence in failure["ErrorMessage"], failure
    assert ids(hub) == ["good"]


def test_batches_have_bounds_and_required_members(hub):
    for count in (0, 101):
        with refused("ValidationException"):
            hub.batch_import_findings(Findings=[finding(str(n)) for n in range(count)])
    with refused("ValidationException", "title"):
        hub.batch_import_findings(Findings=[finding(Title=None)])
    put(hub, *(finding(str(n)) for n in range(100)))


def test_what_a_person_said_outlives_the_products_updates(hub, installation):
    put(hub, finding())
    key = {"ProductArn": PRODUCT, "Id": "f-1"}
    answer = hub.batch_update_findings(
        FindingIdentifiers=[key, {"ProductArn": PRODUCT, "Id": "gone"}],
        Note={"Text": "known", "UpdatedBy": "me"},
        Severity={"Label": "LOW"},
        Workflow={"Status": "RESOLVED"},
        UserDefinedFields={"ticket": "7"},
        VerificationState="BENIGN_POSITIVE",
    )
    assert answer["ProcessedFindings"] == [key]
    (unprocessed,) = answer["UnprocessedFindings"]
    assert (unprocessed["ErrorCode"], unprocessed["FindingIdentifier"]["Id"]) == ("FindingNotFound", "gone")
    put(
        hub,
        finding(
            UpdatedAt="2026-01-15T12:00:09Z",
            Title="again",
            Note={"Text": "no", "UpdatedBy": "x", "UpdatedAt": "2026-01-15T12:00:00Z"},
        ),
    )
    found = only(hub)
    assert found["Title"] == "again"
    assert found["Severity"] == {"Label": "LOW", "Normalized": 1}
    assert found["FindingProviderFields"]["Severity"]["Label"] == "MEDIUM"
    assert (found["Note"]["Text"], found["Note"]["UpdatedBy"]) == ("known", "me")
    assert found["Workflow"] == {"Status": "RESOLVED"}
    assert found["UserDefinedFields"] == {"ticket": "7"}
    put(hub, finding(UpdatedAt="2026-01-15T12:01:00Z", RecordState="ARCHIVED"))
    put(hub, finding(UpdatedAt="2026-01-15T12:02:00Z"))
    assert only(hub)["Workflow"] == {"Status": "NEW"}, "a finding that comes back is new again"


def test_the_old_update_changes_what_a_filter_finds(hub):
    put(hub, finding("a"), finding("b", Title="Other"))
    hub.update_findings(Filters={"Title": text("Other")}, RecordState="ARCHIVED", Note={"Text": "t", "UpdatedBy": "u"})
    assert ids(hub, RecordState=text("ARCHIVED")) == ["b"]
    with refused("InvalidInputException"):
        hub.update_findings(Filters={"Title": text("Other")})


def test_updates_need_something_to_change(hub):
    with refused("InvalidInputException"):
        hub.batch_update_findings(FindingIdentifiers=[{"ProductArn": PRODUCT, "Id": "f-1"}])
    with refused("InvalidInputException"):
        hub.batch_update_findings(FindingIdentifiers=[], VerificationState="UNKNOWN")


def test_a_hub_is_there_until_it_is_switched_off(hub):
    described = hub.describe_hub()
    assert described["HubArn"] == f"arn:aws:securityhub:us-east-1:{ACCOUNT}:hub/default"
    assert "SubscribedAt" not in described
    assert described["ControlFindingGenerator"] == "SECURITY_CONTROL"
    hub.enable_security_hub(Tags={"team": "pki"}, EnableDefaultStandards=False)
    assert hub.describe_hub()["SubscribedAt"] == "2026-01-15T12:00:00.000Z"
    assert hub.list_tags_for_resource(ResourceArn=described["HubArn"])["Tags"] == {"team": "pki"}
    with refused("ResourceConflictException", "Account is already subscribed to Security Hub"):
        hub.enable_security_hub()
    hub.update_security_hub_configuration(AutoEnableControls=False)
    assert hub.describe_hub()["AutoEnableControls"] is False
    assert hub.get_enabled_standards()["StandardsSubscriptions"] == []
    put(hub, finding())
    hub.disable_security_hub()
    for call in (hub.describe_hub, hub.get_findings, hub.disable_security_hub):
        with refused("InvalidAccessException", f"Account {ACCOUNT} is not subscribed to AWS Security Hub"):
            call()
    with refused("InvalidAccessException"):
        hub.batch_import_findings(Findings=[finding()])
    hub.enable_security_hub()
    assert ids(hub) == []


def test_findings_belong_to_an_account_and_region(hub, installation):
    put(hub, finding())
    assert installation.client("securityhub", region="eu-west-1").get_findings()["Findings"] == []


def test_pages_in_both_orders(hub, installation):
    for number in range(7):
        put(hub, finding(f"f-{number}", UpdatedAt=f"2026-01-15T12:00:0{number % 3}Z", Criticality=number % 4))
    for sort in ([], [{"Field": "Criticality", "SortOrder": "desc"}, {"Field": "UpdatedAt", "SortOrder": "asc"}]):
        more = {"SortCriteria": sort} if sort else {}
        whole = hub.get_findings(**more)["Findings"]
        listed, token = [], {}
        while True:
            answer = hub.get_findings(MaxResults=2, **more, **token)
            listed += answer["Findings"]
            if "NextToken" not in answer:
                break
            token = {"NextToken": answer["NextToken"]}
        assert listed == whole
        assert len(whole) == 7
        key = (lambda f: (-f["Criticality"], f["UpdatedAt"], f["Id"])) if sort else (lambda f: f["UpdatedAt"])
        assert whole == sorted(whole, key=key, reverse=not sort)
    token = hub.get_findings(MaxResults=2)["NextToken"]
    with refused("InvalidInputException"):
        hub.get_findings(Filters={"Title": text("x")}, NextToken=token)
    with refused("InvalidInputException"):
        hub.get_findings(SortCriteria=[{"Field": "Colour", "SortOrder": "asc"}])


def test_nobody_without_permission(hub, installation):
    iam = installation.client("iam")
    iam.create_user(UserName="u")
    key = iam.create_access_key(UserName="u")["AccessKey"]
    stranger = installation.client("securityhub", credential=installation.rooms.access.find(key["AccessKeyId"]))
    for call in (stranger.get_findings, stranger.describe_hub, lambda: put(stranger, finding())):
        with refused("AccessDeniedException", "is not authorized to perform: securityhub:"):
            call()
