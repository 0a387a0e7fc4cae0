"""The time of one request against a policy of 20 statements with conditions: `python bench/policy.py`.

Prints a line for people and one JSON object for programs. `decide` is one compiled policy with a ready
context; `evaluate` adds the making of the context, a service control policy and a boundary.
"""

import json
import statistics
import time
from typing import Any

from greatseal.domain.access.language import (
    Circumstances,
    Context,
    PolicyKind,
    Principal,
    Request,
    compile_policy,
    evaluate,
    parse_policy,
)

TARGET = 20.0
ROLE = "arn:aws:iam::111122223333:role/issuing/Issuer"
CONDITIONS: list[dict[str, dict[str, Any]]] = [
    {"StringEquals": {"acm:ValidationMethod": "EMAIL"}},
    {"ForAnyValue:StringLike": {"acm:DomainNames": ["${*}.*", "*.internal.example.com"]}},
    {"StringLike": {"acm:KeyAlgorithm": "RSA*"}, "ArnNotLike": {"aws:PrincipalArn": ROLE}},
    {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}},
    {"Bool": {"aws:SecureTransport": "false"}},
    {"DateGreaterThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}},
    {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}},
    {"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "stage"]}, "Null": {"aws:TagKeys": "false"}},
    {"StringEquals": {"aws:PrincipalTag/team": "${aws:ResourceTag/team}"}},
    {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}},
]
VALUES: dict[str, str | tuple[str, ...]] = {
    "acm:ValidationMethod": "DNS",
    "acm:DomainNames": ("www.example.com", "api.example.com"),
    "acm:KeyAlgorithm": "EC_prime256v1",
    "acm:CertificateTransparencyLogging": "ENABLED",
    "aws:CurrentTime": "2026-03-01T12:00:00Z",
    "aws:EpochTime": "1772366400",
    "aws:SourceIp": "198.51.100.7",
    "aws:SecureTransport": "true",
    "aws:RequestedRegion": "eu-central-1",
    "aws:TagKeys": ("owner",),
    "aws:PrincipalTag/team": "web",
    "aws:ResourceTag/team": "mail",
    "aws:PrincipalArn": ROLE,
    "aws:PrincipalAccount": "111122223333",
    "aws:userid": "AROAEXAMPLEEXAMPLE12:build",
    "aws:UserAgent": "aws-cli/2.31",
    "aws:MultiFactorAuthAge": "7200",
}


def twenty_statements() -> str:
    """Every statement concerns the action and the resource, so that every condition is really asked."""
    denying = [
        {"Effect": "Deny", "Action": "acm:Request*", "Resource": "*", "Condition": each} for each in CONDITIONS[:9]
    ]
    allowing = [
        {"Effect": "Allow", "Action": ["acm:*", "acm-pca:*"], "Resource": "arn:aws:acm:*:*:*", "Condition": each}
        for each in (*CONDITIONS, {"StringEquals": {"acm:ValidationMethod": "DNS"}})
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": [*denying, *allowing]})


def median_micros(call: Any, rounds: int = 300, each: int = 50) -> float:
    """The median over rounds of the mean time of one call, in microseconds."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        for _ in range(each):
            call()
        taken.append((time.perf_counter_ns() - start) / each / 1000)
    return statistics.median(taken)


def main() -> dict[str, Any]:
    text = twenty_statements()
    policy = compile_policy(parse_policy(text, PolicyKind.IDENTITY), "twenty")
    everything = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
    scp = compile_policy(parse_policy(everything, PolicyKind.SCP), "FullAWSAccess")
    boundary = compile_policy(parse_policy(everything, PolicyKind.BOUNDARY), "boundary")
    caller = Principal.assumed_role("arn:aws:sts::111122223333:assumed-role/Issuer/build", ROLE)
    resource = "arn:aws:acm:eu-central-1:111122223333:certificate/*"
    at = Circumstances(caller, "111122223333", (policy,), boundary, scp_levels=((scp,),))
    request = Request(caller, "acm:RequestCertificate", resource, Context(VALUES))
    assert len(policy.policy.statements) == 20
    assert policy.decide(request).index == 19, "the last statement must be the one that decides"

    def whole() -> None:
        assert evaluate(at, Request(caller, "acm:RequestCertificate", resource, Context(VALUES))).allowed

    result = {
        "name": "policy",
        "statements": 20,
        "decide_us": round(median_micros(lambda: policy.decide(request)), 2),
        "evaluate_us": round(median_micros(whole), 2),
        "compile_us": round(median_micros(lambda: compile_policy(parse_policy(text, PolicyKind.IDENTITY)), 20, 2), 1),
        "target_us": TARGET,
    }
    print(
        f"20 statements with conditions: decide {result['decide_us']} µs, with context and other policies"
        f" {result['evaluate_us']} µs (target {TARGET} µs); parse and compile {result['compile_us']} µs"
    )
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
