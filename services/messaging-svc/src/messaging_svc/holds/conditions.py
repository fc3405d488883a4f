"""Holds as parts of the gate's statements; `d` is the message."""

HELD = """EXISTS (
            SELECT FROM launch_hold l WHERE l.launch_id = d.origin_id
              AND (l.state <> 'running' OR l.spiked_at IS NOT NULL))"""
"""The message's launch must not go on."""

RULE = """(SELECT CASE WHEN l.state = 'stopped' THEN 'launch_stopped'
                        WHEN l.state = 'paused' OR l.spiked_at IS NOT NULL THEN 'waits_for_resume' END
                 FROM launch_hold l WHERE l.launch_id = d.origin_id)"""
"""The name of the rule by which a launch does not go on, or NULL."""
