"""What operators install beside the service is about this service: metrics exist, files are well-formed."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from house.tree import ROOT

DEPLOY = ROOT / "deploy"
DASHBOARD = DEPLOY / "observability" / "grafana-dashboard.json"
ALERTS = DEPLOY / "observability" / "alerts.yaml"

_METRIC = re.compile(r"\b(greatseal_[a-z0-9_]+)")
_MEMBERS = ("_bucket", "_sum", "_count")


def _documented() -> dict[str, tuple[str, set[str]]]:
    """Kind and labels of every metric, from the page that is rendered from the code."""
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| `(greatseal_\w+)` \| (\w+) \| (.+?) \|", page, re.MULTILINE)
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in found}


def _unknown(expression: str) -> list[str]:
    known = _documented()
    names = set(known)
    for name, (kind, _) in known.items():
        if kind == "histogram":
            names |= {name + member for member in _MEMBERS}
    return [name for name in _METRIC.findall(expression) if name not in names]


def _wrong_labels(expression: str) -> list[str]:
    """Labels in selectors and groupings that no metric of the expression has."""
    known = _documented()
    used = {name for name in known if name in expression}
    labels = {"job", "instance", "le"}.union(*(known[name][1] for name in used))
    selectors = re.findall(r"\{([^}]*)\}", expression)
    asked = [part for each in selectors for part in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", each)]
    asked += [part.strip() for each in re.findall(r"\bby \(([^)]*)\)", expression) for part in each.split(",")]
    return [label for label in asked if label not in labels]


def _expressions() -> list[tuple[str, str]]:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    found = [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel["targets"]]
    return found + [(rule["alert"], rule["expr"]) for rule in _rules()]


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize(("title", "expression"), _expressions())
def test_every_metric_that_is_looked_at_exists(title: str, expression: str) -> None:
    assert "greatseal" in expression
    assert _unknown(expression) == []
    assert _wrong_labels(expression) == []
    assert expression.count("(") == expression.count(")")
    assert expression.count("{") == expression.count("}")


def test_the_check_of_metrics_can_fail() -> None:
    assert _unknown("rate(greatseal_nothing_total[5m])") == ["greatseal_nothing_total"]
    assert _unknown("greatseal_commit_seconds_bucket + greatseal_workers_sum") == ["greatseal_workers_sum"]
    assert _wrong_labels('sum by (color) (greatseal_jobs_due{kin="a"})') == ["kin", "color"]


def test_counters_are_asked_for_rates_and_gauges_are_not() -> None:
    known = _documented()
    for title, expression in _expressions():
        for name in _METRIC.findall(expression):
            counts = name.endswith(("_bucket", "_count", "_sum")) or known.get(name, ("", set()))[0] == "counter"
            rated = re.search(rf"\b(rate|increase)\({name}\b", expression) is not None
            assert rated == counts, (title, name)


def test_the_dashboard_is_laid_out() -> None:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


def test_every_alert_says_how_bad_it_is_and_what_to_do() -> None:
    rules = _rules()
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in ("warning", "critical"), rule["alert"]
        assert set(rule["annotations"]) == {"summary", "description"}, rule["alert"]


def test_alerts_only_name_labels_that_their_expression_keeps() -> None:
    for rule in _rules():
        named = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
        kept = {part.strip() for each in re.findall(r"\bby \(([^)]*)\)", rule["expr"]) for part in each.split(",")}
        assert named <= kept or rule["expr"].startswith("up{"), rule["alert"]


PLAIN = [path for path in sorted(DEPLOY.rglob("*.y*ml")) if "templates" not in path.parts]
CHART = DEPLOY / "helm" / "greatseal"
TEMPLATES = sorted((CHART / "templates").glob("*.yaml"))


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.name)
def test_plain_yaml_is_yaml(path: Path) -> None:
    assert yaml.safe_load(path.read_text(encoding="utf-8"))


def _settled(template: str) -> list[Any]:
    """The documents of a template with every branch taken and `x` for every value. Not Helm: only its layout."""
    lines = [line for line in template.splitlines() if not re.fullmatch(r"\s*\{\{-? .*\}\}", line)]
    # A value of its own line, and one behind a key or a dash.
    return list(yaml.safe_load_all(re.sub(r"\{\{-? [^}]*\}\}", "x", "\n".join(lines))))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_of_the_chart_hold_together(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    words = re.findall(r"\{\{-? (\w+)", text)
    assert words.count("end") == sum(words.count(word) for word in ("if", "range", "with"))
    values: Any = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    for name in re.findall(r"\.Values\.([\w.]+)", text):
        found = values
        for part in name.split("."):
            assert part in found, f"values.yaml has no {name}"
            found = found[part]
    for document in _settled(text):
        assert {"apiVersion", "kind", "metadata", "spec"} <= set(document)


def _pod() -> Any:
    (document,) = _settled((CHART / "templates" / "deployment.yaml").read_text(encoding="utf-8"))
    return document["spec"]["template"]["spec"]


def test_the_pod_has_no_more_rights_than_it_needs() -> None:
    pod = _pod()
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert {each["name"] for each in container["volumeMounts"]} == {each["name"] for each in pod["volumes"]}


def _compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text(encoding="utf-8"))


def test_compose_runs_two_nodes_that_share_their_keys_and_nothing_else() -> None:
    services = _compose()["services"]
    nodes = [services["node-a"], services["node-b"]]
    for node in nodes:
        assert (node["cap_drop"], node["read_only"], node["user"]) == (["ALL"], True, "10001:10001")
        assert node["security_opt"] == ["no-new-privileges:true"]
    assert nodes[0]["environment"] == nodes[1]["environment"]
    assert not set(nodes[0]["volumes"]) & set(nodes[1]["volumes"])
    assert all("fsync=off" not in each for each in services["postgres"]["command"])


def test_haproxy_passes_tls_through_and_asks_whether_nodes_are_ready() -> None:
    text = (DEPLOY / "compose" / "haproxy.cfg").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^((?:frontend|backend) \w+)\n((?:    .*\n|\n)*)", text, re.MULTILINE))
    assert "mode tcp" in sections["frontend https"]
    assert "mode tcp" in sections["backend https_nodes"]
    assert " ssl" not in text.replace("#", "\n").replace("TLS", "")
    nodes = {name for name in _compose()["services"] if name.startswith("node-")}
    for name in ("backend https_nodes", "backend http_nodes"):
        assert "http-check send meth GET uri /readyz" in sections[name]
        assert set(re.findall(r"^    server ([\w-]+) ", sections[name], re.MULTILINE)) == nodes


def _known_settings() -> set[str]:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    return set(re.findall(r"`(GREATSEAL_\w+)`", page))


def test_every_setting_that_is_deployed_exists() -> None:
    files = [*PLAIN, *TEMPLATES, DEPLOY / "Containerfile", DEPLOY / "greatseal.service"]
    named = {word for path in files for word in re.findall(r"\bGREATSEAL_[A-Z_]+", path.read_text(encoding="utf-8"))}
    assert named <= _known_settings() | {"GREATSEAL_CONFIG"}


def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "greatseal.service"
    text = (DEPLOY / "greatseal.service").read_text(encoding="utf-8")
    # It complains of a program that is not installed here.
    unit.write_text(text.replace("/opt/greatseal/bin/greatseal", "/bin/true"), encoding="utf-8")
    asked = subprocess.run([program, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    assert (asked.returncode, asked.stderr) == (0, "")
    rated = subprocess.run(
        [program, "security", "--offline=true", "--threshold=15", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert rated.returncode == 0, rated.stdout[-400:]
