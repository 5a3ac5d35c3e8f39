"""The reply to somebody who asks why (答复函): every criterion in a sentence, and what the person can do."""

from datetime import date

from fpadmin.ui.templatetags.ui import date_cn
from subsidies.eligibility.cases import CHECK, NO, PROOF, YES, Line, Told
from subsidies.eligibility.masking import NOT_TOLD
from subsidies.rolls.ends import month_words

_WORDS = {YES: "满足", NO: "不满足", PROOF: "要凭材料证明", CHECK: NOT_TOLD}


def opening(told: Told, today: date) -> str:
    """What was looked at, by which rule, and to which day ages are counted.

    Of a day to come today's register speaks.
    """
    rule = told.case.rule
    since = f"，{date_cn(rule.version.from_on)}起执行" if rule.version else ""
    own = f"按{told.through}的情况，" if told.through else ""
    day = told.question.day
    named = "".join(f"“{one}”" for one in told.documents) or "政策规定"
    return (
        f"您询问能否享受“{told.policy.name}”。我们{own}按{date_cn(min(day, today))}的登记资料，"
        f"依据{named}（本地第{rule.number}版{since}）逐项核对，年龄算到{date_cn(day)}，结果如下："
    )


def sentence(line: Line) -> str:
    """One criterion: what is asked, whether it holds, and the value that was looked at."""
    seen = "" if line.state == CHECK else f"，查到的情况是：{line.value}"
    return f"条件“{line.text}”：{_WORDS[line.state]}{seen}。"


def conclusion(told: Told) -> str:
    """The outcome in one sentence."""
    count = len(told.lines)
    if told.outcome == NO:
        return f"以上{count}项条件要全部满足，其中{len(told.missing)}项不满足，因此目前不符合。"
    if told.outcome == PROOF:
        return f"以上{count}项条件要全部满足，其中{len(told.open)}项还要证明或核对，其余都满足。"
    return f"以上{count}项条件全部满足，符合享受条件。"


def what_to_do(told: Told, office: str) -> list[str]:
    """What the person can do now, a paragraph each."""
    village = told.case.resident.village.name
    found = []
    if told.enrolment:
        found.append(f"这项待遇已登记在册，从{month_words(told.enrolment.start_month)}起。")
    elif told.application:
        found.append(
            f"{date_cn(told.application.applied_on)}的申请正在办理"
            f"（{told.application.get_state_display()}），请等候结果。"
        )
    elif told.outcome == YES:
        found.append(f"请带身份证、户口簿到{village}登记申请，经评议、审核和确认后，{told.start}。")
    elif told.outcome == PROOF:
        proofs = "、".join(line.text for line in told.open)
        found.append(f"请带能说明“{proofs}”的材料到{village}登记申请，审核后再答复。")
    if told.ahead and not told.enrolment:
        ahead = told.ahead
        found.append(
            f"登记情况不变的话，到{date_cn(ahead.day)}您就符合年龄条件，请到时到{village}登记申请，"
            f"从{month_words(ahead.start)}起{ahead.amount}。"
        )
    elif told.outcome == NO:
        found.append(
            f"如果查到的情况和事实不一样，请带身份证、户口簿和能说明事实的材料，到{village}或{office}"
            "申请更正，更正后重新核对。"
        )
    found.append(f"对这份答复有不同意见的，可以向{office}提出，由{office}复核。")
    return found
