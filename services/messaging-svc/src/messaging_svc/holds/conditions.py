"""Holds as parts of the gate's statements; `d` is the message."""

HELD = """EXISTS (
            SELECT FROM launch_hold l WHERE l.launch_id = d.origin_id
              AND (l.state <> 'running' OR l.spiked_at IS NOT NULL))"""
"""The message's launch must not go on."""

HOLD = "LEFT JOIN launch_hold l ON l.launch_id = d.origin_id"

RULE = """CASE WHEN l.state = 'stopped' THEN 'launch_stopped'
                     WHEN l.state = 'paused' OR l.spiked_at IS NOT NULL THEN 'waits_for_resume' END"""
"""The name of the rule by which a launch (l, of `HOLD`) does not go on, or NULL."""
