"""Experiments: scratch projects, and what they show."""

from course.lab.order import OrderBuild, OrderExperiment, run_order_experiment
from course.lab.project import Project, open_project

__all__ = ["OrderBuild", "OrderExperiment", "Project", "open_project", "run_order_experiment"]
