"""What can be refused about the community."""

from kantis_kit.errors import Conflict, NotFound


class PostUnknown(NotFound):
    """There is no such post."""

    slug, title = "post-unknown", "There is no such post"


class ReviewTwice(Conflict):
    """A person says once what they think of a product."""

    slug, title = "review-twice", "The person has reviewed this product"


class QuestionHidden(Conflict):
    """Only what is shown is answered by others."""

    slug, title = "question-not-shown", "The question is not shown"
