"""The outbox: messages that some destination has not taken yet. Each is tried until it has, or is too old to matter.

Pure: sending is an argument. Here: at least once, to each destination apart. Not here: Apprise (delivery.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from heap_assets.alerts.delivery import Destination
from heap_assets.alerts.message import Message

MOST_WAITING = 50
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 30.0, 1_800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A message that a destination has not taken; times are epoch seconds."""

    message: Message
    destination: str
    attempts: int = 0
    due: float = 0.0


def posted(
    waiting: Sequence[Waiting],
    messages: Sequence[Message],
    destinations: Sequence[Destination],
    *,
    deliver: Callable[[Message, Destination], bool],
    now: float,
) -> tuple[Waiting, ...]:
    """Send what waits and what is new; return what waits then, in order.

    A destination that refuses one message gets no other in the same go, so nothing overtakes and nobody is hammered.
    Of more than fifty that wait the oldest are given up; those of a destination that is configured no more, too.
    """
    known = {destination.name: destination for destination in destinations}
    queue = [one for one in waiting if one.destination in known]
    queue += [Waiting(message=message, destination=name) for message in messages for name in known]
    left: list[Waiting] = []
    down: set[str] = set()
    for one in queue:
        if one.destination in down or one.due > now:
            down.add(one.destination)
            left.append(one)
        elif not deliver(one.message, known[one.destination]):
            down.add(one.destination)
            pause = min(_FIRST_PAUSE_S * 2**one.attempts, _LONGEST_PAUSE_S)
            left.append(
                Waiting(message=one.message, destination=one.destination, attempts=one.attempts + 1, due=now + pause)
            )
    return tuple(left[-MOST_WAITING:])
