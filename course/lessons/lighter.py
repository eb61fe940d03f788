"""The API without Prisma, for engines on which its installation takes many minutes.

Enters: a lesson and a project made of the API. Leaves: the project, lighter where the engine is slow. Writes files; may
import `course.lab` and its neighbour `lesson`.
"""

import json

from course.lab.project import Project
from course.lessons.lesson import Lesson


def lighten(lesson: Lesson, project: Project) -> None:
    """On a slow engine take Prisma out of the API, and say so; elsewhere do nothing. Express stays, and every order."""
    if not lesson.slow:
        return
    package = json.loads(project.read("package.json"))
    package["dependencies"] = {"express": package["dependencies"]["express"]}
    del package["devDependencies"]
    project.write("package.json", json.dumps(package, indent=2) + "\n")
    project.write("package-lock.json", "{}\n")
    kept = [line for line in project.read("Dockerfile").splitlines() if not _is_of_prisma(line)]
    project.write("Dockerfile", "\n".join(kept) + "\n")
    print("This engine is slow: the API goes without Prisma here, so steps and seconds of Prisma are missing below.")


def _is_of_prisma(line: str) -> bool:
    return "prisma" in line.lower() or "/app/generated" in line
