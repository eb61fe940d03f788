"""What is added to a compose file, so that all that compose makes of it is a lesson's."""

from course.lessons.compose import marks

LABELS = {"layer-by-layer": "1"}


def name(name: str) -> str:
    return f"{name}-1f"


def test_every_service_network_and_volume_gets_a_name_and_the_labels() -> None:
    resolved = {
        "services": {"api": {"image": "api"}, "db": {"image": "postgres:17"}},
        "networks": {"default": {"name": "folder_default"}},
        "volumes": {"data": {"name": "folder_data"}},
    }
    assert marks(resolved, LABELS, name) == {
        "services": {
            "api": {"container_name": "api-1f", "labels": LABELS},
            "db": {"container_name": "db-1f", "labels": LABELS},
        },
        "networks": {"default": {"name": "default-1f", "labels": LABELS}},
        "volumes": {"data": {"name": "data-1f", "labels": LABELS}},
    }


def test_what_was_there_before_stays_as_it_is() -> None:
    resolved = {
        "services": {"db": {}},
        "networks": {"theirs": {"external": True}},
        "volumes": {"data": None, "old": {"external": True}},
    }
    marked = marks(resolved, LABELS, name)
    assert "networks" not in marked
    assert list(marked["volumes"]) == ["data"]


def test_a_file_without_volumes_gets_none() -> None:
    assert "volumes" not in marks({"services": {"web": {}}, "volumes": None}, LABELS, name)
