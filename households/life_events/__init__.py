"""Life events: what each kind would change, decided before anything is written."""

from households.life_events.plan import Newcomer, PersonChange, Plan
from households.life_events.planners import PLANNERS

__all__ = ["PLANNERS", "Newcomer", "PersonChange", "Plan"]
