"""App configuration."""

from django.apps import AppConfig


class SubsidiesConfig(AppConfig):
    name = "subsidies"
    label = "subsidies"
    verbose_name = "利益导向"

    def ready(self):
        from fpadmin.audit.log import register_types
        from subsidies import invariants, menu, resources
        from subsidies.applications import application_list
        from subsidies.bank_files import registering as bank_files
        from subsidies.bank_returns import registering as bank_returns
        from subsidies.comparison import desk as comparison_desk
        from subsidies.comparison import runs as comparison_runs
        from subsidies.eligibility import candidate_list, household_panel
        from subsidies.funds import registering as funds
        from subsidies.meetings import registering as meetings
        from subsidies.notices import my_notices, notice_list
        from subsidies.oneoff import registering as oneoff
        from subsidies.outlook import coming_list, scenario_list
        from subsidies.payments import batch_list, line_list
        from subsidies.payments import of_person as payments_of_person
        from subsidies.payments import registering as payments
        from subsidies.policies import registering
        from subsidies.recoveries import registering as recoveries
        from subsidies.reissues import registering as reissues
        from subsidies.returns import forms as returns
        from subsidies.reviews import registering as reviews
        from subsidies.rolls import change_list, demonstration, of_person, roll_acts, roll_list
        from subsidies.services import answers, scenarios

        menu.load()
        invariants.load()
        resources.load()
        registering.load()
        demonstration.load()
        roll_list.load()
        roll_acts.load()
        change_list.load()
        of_person.load()
        candidate_list.load()
        household_panel.load()
        coming_list.load()
        scenario_list.load()
        application_list.load()
        notice_list.load()
        my_notices.load()
        register_types(answers.EVENT_TYPES, {})
        register_types(scenarios.EVENT_TYPES, scenarios.CHANGE_LABELS)
        comparison_runs.load()
        comparison_desk.load()
        returns.load()
        reviews.load()
        payments.load()
        reissues.load()
        recoveries.load()
        batch_list.load()
        line_list.load()
        payments_of_person.load()
        meetings.load()
        funds.load()
        bank_files.load()
        oneoff.load()
        bank_returns.load()
