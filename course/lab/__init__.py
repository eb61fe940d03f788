"""Experiments: scratch projects and worlds, and what they show."""

from course.lab.order import OrderBuild, OrderExperiment, run_order_experiment
from course.lab.project import Project, open_project
from course.lab.reach import Answer, Reach, measure_reach
from course.lab.scratch import Scratch
from course.lab.setup import Setup, read_setup, watch_setup

__all__ = [
    "Answer",
    "OrderBuild",
    "OrderExperiment",
    "Project",
    "Reach",
    "Scratch",
    "Setup",
    "measure_reach",
    "open_project",
    "read_setup",
    "run_order_experiment",
    "watch_setup",
]
