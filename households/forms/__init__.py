"""What clerks type about households, residents and births."""

from households.forms.births import BirthForm
from households.forms.households import HouseholdForm
from households.forms.residents import PersonSearchForm, ResidentForm, RevealForm

__all__ = ["BirthForm", "HouseholdForm", "PersonSearchForm", "ResidentForm", "RevealForm"]
