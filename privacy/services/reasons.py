"""What everybody says who asks for something about somebody else."""

from core.errors import InvalidError


class ReasonMissingError(InvalidError):
    """Whoever asks for something about others says what for."""

    code = "reason_required"
    title = "Say what it is needed for."
    field = "reason"


def stated(reason: str) -> str:
    """Return a reason without blanks around it; raise `ReasonMissingError` when there is none."""
    if not reason.strip():
        raise ReasonMissingError
    return reason.strip()
