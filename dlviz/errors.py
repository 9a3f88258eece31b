"""Errors that a visitor may see: a message id and its values, never a finished sentence.

Code below the ui does not know the visitor's language. It raises an error
that carries the English message (the id in the catalogues) and the values for
its placeholders; the ui says it in the visitor's language. Mark the message
with ``N_`` so that it reaches the catalogues::

    raise Refused(N_("The file holds {count} bytes, too few for a picture."), count=3)
"""

from __future__ import annotations


class DlvizError(Exception):
    """An error with a message id and its values.

    Parameters
    ----------
    message
        English text with ``{placeholders}``; the key in the catalogues.
    values
        What fills the placeholders. Numbers stay numbers, so that the ui can
        format them as the visitor's language does.
    """

    def __init__(self, message: str, **values: object) -> None:
        self.message = message
        self.values = values
        super().__init__(message.format(**values))

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes as message and values, not as the finished English text."""
        return _again, (type(self), self.message, self.values), self.__dict__


def _again(kind: type[DlvizError], message: str, values: dict[str, object]) -> DlvizError:
    return kind(message, **values)


class Refused(DlvizError):
    """What the visitor gave is not taken, and the message says why; the page goes on with what it had."""


class WeightsError(DlvizError):
    """A weight file is missing, cut short or altered; the message names the file."""


class NotAvailable(DlvizError):
    """A model or data set is not on this machine; the message says how to get it."""


class Busy(DlvizError):
    """The server cannot take the work now (memory, or too many jobs of one visitor)."""
