"""A sender in a process of its own, to be killed: `python sender_child.py SETTINGS_AS_JSON`."""

import asyncio
import json
import sys

from kantis_kit.service import Service
from messaging_svc.dispatch.mail import send_loop
from messaging_svc.main import SPEC
from messaging_svc.settings import MessagingSettings

asyncio.run(send_loop(Service(SPEC, MessagingSettings(**json.loads(sys.argv[1])))))
