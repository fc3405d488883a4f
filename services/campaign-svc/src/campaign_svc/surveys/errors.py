"""What can be refused about surveys."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class SurveyUnknown(NotFound):
    """There is no such survey, or the link to it is not one of ours."""

    slug, title = "survey-unknown", "There is no such survey"


class SurveyClosed(Conflict):
    """It takes no more answers."""

    slug, title = "survey-closed", "The survey has ended"


class AnswerInvalid(Invalid):
    """An answer does not fit its question."""

    slug, title = "invalid-answer", "The answers do not fit the questions"


class IdeaUnknown(NotFound):
    """The panel has no such idea."""

    slug, title = "idea-unknown", "There is no such idea"
