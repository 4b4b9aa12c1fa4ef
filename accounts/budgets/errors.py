"""What can go wrong when a budget is set."""

from django.utils.translation import gettext_lazy as _


class BudgetRefused(Exception):
    """There cannot be such a budget; the text says why."""

    same = _("There is such a budget already.")
    no_files = _("Agents and tokens have no files: set storage for people, teams or all.")
    no_currency = _("Money needs a currency: three letters, as USD, EUR or CNY.")
    no_agent = _("There is no such agent.")
    nobody = _("The whole installation is nobody in particular: leave `subject_id` out.")
