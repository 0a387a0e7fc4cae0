"""Records in the forms that people feed to their DNS: zone file, CSV, Terraform, JSON (workflows.md 12)."""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from greatseal.domain.zones.model import Record

COLUMNS = ("Domain Name", "Record Name", "Record Type", "Record Value")
_NOT_IN_IDENTIFIERS = re.compile(r"[^a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Needed:
    """A record that a domain needs, and what is known of its creation by a provider: empty when nobody was asked."""

    domain: str
    record: Record
    state: str = ""
    detail: str = ""


def bind(needed: Sequence[Needed]) -> str:
    """A fragment of a zone file; every name is absolute."""
    lines = []
    for each in needed:
        record = each.record
        lines.append(f"{record.name}. {record.ttl} IN {record.kind} {record.presented}\n")
    return "".join(lines)


def comma_separated(needed: Sequence[Needed]) -> str:
    """The CSV of "Export DNS configuration"."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for each in needed:
        record = each.record
        writer.writerow([each.domain, f"{record.name}.", record.kind, record.presented])
    return out.getvalue()


def terraform(needed: Sequence[Needed]) -> str:
    """Resources of the AWS provider; the zone comes from a variable."""
    blocks = ['variable "zone_id" {\n  type = string\n}\n']
    for each in needed:
        record = each.record
        # JSON's strings are HCL's, but for the two ways to begin a template.
        name, value = (
            json.dumps(text).replace("${", "$${").replace("%{", "%%{") for text in (record.name, record.presented)
        )
        label = _NOT_IN_IDENTIFIERS.sub("_", record.name)
        blocks.append(
            f'resource "aws_route53_record" "{label}" {{\n'
            f"  zone_id         = var.zone_id\n"
            f"  name            = {name}\n"
            f'  type            = "{record.kind}"\n'
            f"  ttl             = {record.ttl}\n"
            f"  records         = [{value}]\n"
            f"  allow_overwrite = true\n"
            f"}}\n"
        )
    return "\n".join(blocks)


def as_json(needed: Sequence[Needed]) -> str:
    """One object, with what is known of creation."""
    return (
        json.dumps(
            {
                "records": [
                    {
                        "domain": each.domain,
                        "name": f"{each.record.name}.",
                        "type": each.record.kind,
                        "value": each.record.presented,
                        "ttl": each.record.ttl,
                        "creation": each.state or None,
                        "detail": each.detail or None,
                    }
                    for each in needed
                ]
            },
            indent=1,
        )
        + "\n"
    )


FORMS: Mapping[str, Callable[[Sequence[Needed]], str]] = {
    "bind": bind,
    "csv": comma_separated,
    "terraform": terraform,
    "json": as_json,
}
"""Every form by its name."""
