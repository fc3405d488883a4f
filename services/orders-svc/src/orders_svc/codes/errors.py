"""What is refused about response codes."""

from kantis_kit.errors import Invalid


class CodeMistaken(Invalid):
    """The check character does not fit, and no piece carries the code."""

    slug, title = "code-mistaken", "This code has a wrong character"
