"""The room of domain validation: whether whoever asks for a certificate controls its names.

By DNS, e-mail or HTTP, each name by itself, for 72 hours. Tells whoever started an attempt by a job. Calls delivery and
audit; what looks at the world is a port (`ports.ControlCheck`). Ruled by docs/validation.md.
"""

from greatseal.domain.validation.approvals import Approvals
from greatseal.domain.validation.looks import Looks
from greatseal.domain.validation.model import Attempt, AttemptState, Method, Name, NameState, Reason, Subject
from greatseal.domain.validation.service import LOOK_JOB, SETTLED_JOB, TIME_OUT, Validation, Wanted
from greatseal.domain.validation.tokens import Tokens

__all__ = [
    "LOOK_JOB",
    "SETTLED_JOB",
    "TIME_OUT",
    "Approvals",
    "Attempt",
    "AttemptState",
    "Looks",
    "Method",
    "Name",
    "NameState",
    "Reason",
    "Subject",
    "Tokens",
    "Validation",
    "Wanted",
]
