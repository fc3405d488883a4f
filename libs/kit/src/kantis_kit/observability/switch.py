"""Whether a service makes traces."""

from kantis_kit.observability.tracing import OFF, Tracing


def tracing_for(service: str, endpoint: str) -> Tracing:
    """Return a service's traces: to an OTLP/HTTP endpoint such as `http://collector:4318`, or off when it is empty."""
    if not endpoint:
        return OFF
    from kantis_kit.observability.otel import connect  # noqa: PLC0415 - the SDK is imported only when it is used

    return connect(service, endpoint)
