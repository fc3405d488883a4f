"""What lets waiting messages go: a launch that is resumed, wider hours, a higher spend cap, a relay that is back.

A claim decides by what its snapshot shows, and may be committed after an opening has looked for what waits: its messages
would sleep until the next day. So every opening counts, before it looks. A claim that has put messages off asks whether the
count is still the one that it has seen, and keeps it from growing until its own commit; of two at the same time, one sees
the other. Claims never wait for an opening: what is being opened right now is decided on anew in a moment.
"""
