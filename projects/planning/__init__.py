"""When and where defences are held: `plan`, what it is made from, and what it says."""

from projects.planning.problem import Interval, LeftOver, Obstacle, Placement, Plan, Reason, Sitting
from projects.planning.search import plan

__all__ = ["Interval", "LeftOver", "Obstacle", "Placement", "Plan", "Reason", "Sitting", "plan"]
