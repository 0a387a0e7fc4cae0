"""The sentence that a refused caller reads (iam.md 6)."""

from greatseal.domain.access.language.evaluate import DecidedBy, Verdict

_ARTICLES = {
    DecidedBy.IDENTITY: "an",
    DecidedBy.TRUST: "the",
}


def denial_sentence(verdict: Verdict, principal_arn: str, action: str, resource: str = "") -> str:
    """Who may not do what, and which kind of policy says so.

    `principal_arn` is the session's ARN for a session; without `resource` the sentence names none. Raises
    ValueError for a verdict that allows.
    """
    if verdict.allowed:
        raise ValueError("nothing was denied")
    on = f" on resource: {resource}" if resource else ""
    kind = verdict.kind.value
    if verdict.explicit:
        why = f"with an explicit deny in {_ARTICLES.get(verdict.kind, 'a')} {kind}"
    else:
        why = f"because no {kind} allows the {action} action"
    return f"User: {principal_arn} is not authorized to perform: {action}{on} {why}"
