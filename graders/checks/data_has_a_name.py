"""The database's files lie where they can be found again."""

from graders.evidence.volumes import VolumesEvidence
from graders.rubric import Check, Finding


def judge(evidence: VolumesEvidence) -> Finding:
    """The files are known by what was written to them; memory and the container's own layer are no place for them."""
    places = [place for one in evidence.written for place in one.places]
    if homeless := [one.database for one in evidence.written if not one.places]:
        return Finding(holds=False, actual=f"what {', '.join(homeless)} was given is in no volume and in no folder")
    if lost := [place.target for place in places if place.anonymous]:
        return Finding(holds=False, actual=f"it lies in an anonymous volume at {', '.join(lost)}")
    return Finding(holds=True, actual=", ".join(f"{place.kind} {place.name}" for place in places))


CHECK = Check(
    id="data_has_a_name",
    claim="The data lies in a volume that has a name, or in a folder.",
    points=1,
    judge=judge,
    needs=("written",),
    expected="the database's files in a named volume or a folder, none of them in an anonymous volume",
    hint="`docker inspect CONTAINER` shows what is mounted. A name of 64 letters and digits is an anonymous volume's.",
    wrong="""\
docker run --detach --name db mongo:8   # its VOLUME becomes an anonymous one
""",
    right="""\
docker run --detach --name db --volume data:/data/db mongo:8
""",
)
