"""A file that comes as a request's body, or in a field of a form."""

from collections.abc import AsyncIterator, Collection

from fastapi import Request
from starlette.datastructures import UploadFile

from kantis_kit.errors import AppError

_PART = 1 << 20
_FORM = "multipart/form-data"


async def posted_file(
    request: Request, kinds: Collection[str], *, missing: type[AppError], other: AppError
) -> AsyncIterator[bytes]:
    """Yield a posted file in parts: a body of one of these kinds, or the first file of a form.

    Raises:
        missing: the form holds no file.
        other: the body is of another kind.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == _FORM:
        async with request.form(max_files=1, max_fields=5) as form:
            upload = next((value for value in form.values() if isinstance(value, UploadFile)), None)
            if upload is None:
                raise missing("The form holds no file; send it in a field called file")
            while part := await upload.read(_PART):
                yield part
    elif kind in kinds:
        async for part in request.stream():
            yield part
    else:
        raise other
