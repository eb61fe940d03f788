"""What several checks ask: does one part reach the other, and how does it address it?"""

import ipaddress

from course.lab.reach import Answer, Reach
from graders.rubric import Finding


def by_name_finding(reaches: tuple[Reach, ...]) -> Finding:
    """One of the target's names must lead there."""
    names = [reach for reach in reaches if not is_address(reach.address) and reach.address != "localhost"]
    reached = [reach.address for reach in names if reach.answer is Answer.ANSWERED]
    if reached:
        return Finding(holds=True, actual=f"it is reached as {listed(reached)}")
    addresses = [reach.address for reach in reaches if is_address(reach.address) and reach.answer is Answer.ANSWERED]
    otherwise = f", only at {listed(addresses)}" if addresses else ""
    tried = "; ".join(dict.fromkeys(f"{reach.address}: {_told(reach.answer)}" for reach in names))
    return Finding(holds=False, actual=f"it is reached by no name{otherwise} ({tried or 'it has none'})")


def _told(answer: Answer) -> str:
    """Whether a name that nobody bears is said to be unknown or is asked for until time is up is a matter of chance."""
    return "no answer" if answer in (Answer.NAME_NOT_FOUND, Answer.TIMED_OUT) else str(answer)


def is_address(text: str) -> bool:
    """Whether it is an IP address and no name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def listed(words: list[str]) -> str:
    """Each of them once, for people; an address without its digits, which are others on another day."""
    return ", ".join(dict.fromkeys("its address" if is_address(word) else word for word in words))
