"""What several checks ask: which of the files that lie about in the folder are in the image?"""

from collections.abc import Iterable

from graders.rubric import Finding


def leak_finding(planted: Iterable[str]) -> Finding:
    """None may be; `planted` are those that were found, as paths in the app's folder."""
    found = sorted({name.partition("/")[0] for name in planted})
    seen = f"{' and '.join(found)} of the folder" if found else "neither"
    return Finding(holds=not found, actual=seen)
