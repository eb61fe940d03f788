"""The API without Prisma, for engines on which its installation takes many minutes.

Enters: a lesson and a project made of the API. Leaves: the project, lighter where the engine is slow. Writes files; may
import `course.lab` and its neighbour `lesson`.
"""

import json
from typing import Any, Final

from course.lab.project import Project
from course.lessons.lesson import Lesson

_DATABASE: Final = """\
import pg from "pg";

let connected;

export function database() {
  connected ??= connect().catch((error) => {
    connected = undefined;
    throw error;
  });
  return connected;
}

async function connect() {
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
  pool.on("error", () => {}); // one that is idle when the database goes away; the next request connects anew
  const rows = async (text, values) => (await pool.query(text, values)).rows;
  await rows(`CREATE TABLE IF NOT EXISTS "Task" (
    id SERIAL PRIMARY KEY, title TEXT NOT NULL, done BOOLEAN NOT NULL DEFAULT false)`);
  const findMany = () => rows('SELECT * FROM "Task" ORDER BY id');
  const create = async ({ data }) =>
    (await rows('INSERT INTO "Task" (title) VALUES ($1) RETURNING *', [data.title]))[0];
  return { task: { findMany, create } };
}
"""
"""In the place of the API's own src/database.js."""


def lighten(lesson: Lesson, project: Project) -> None:
    """On a slow engine take Prisma out of the API, and say so; elsewhere do nothing. It does what it did,
    by Express and Postgres' driver, and every order stays. In a copy of a project that is lighter already only its
    Dockerfile is changed.
    """
    if lesson.slow and make_lighter(project):
        print(
            "This engine is slow: the API goes without Prisma here, so steps and seconds of Prisma are missing below."
        )


def make_lighter(project: Project) -> bool:
    """Take Prisma out of it; whether it was in there until now. What npm installs from is then the same everywhere, its
    files' modes included, which count for the cache and come from whoever cloned the project.
    """
    package = json.loads(project.read("package.json"))
    with_prisma = "devDependencies" in package
    if with_prisma:
        _replace(project, package)
    kept = [line for line in project.read("Dockerfile").splitlines() if not _is_of_prisma(line)]
    project.write("Dockerfile", "\n".join(kept) + "\n")
    return with_prisma


def _replace(project: Project, package: dict[str, Any]) -> None:
    driver = json.loads(project.read("package-lock.json"))["packages"]["node_modules/pg"]["version"]
    package["dependencies"] = {"express": package["dependencies"]["express"], "pg": f"^{driver}"}
    del package["devDependencies"]
    project.write("package.json", json.dumps(package, indent=2) + "\n")
    project.write("package-lock.json", "{}\n")
    for name in ("package.json", "package-lock.json"):
        (project.root / name).chmod(0o644)
    project.write("src/database.js", _DATABASE)


def _is_of_prisma(line: str) -> bool:
    return "prisma" in line.lower() or "/app/generated" in line
