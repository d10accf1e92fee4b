"""Images in, text out. The only room that knows images, models and processes."""

import os

# From 1.29 on, the wheels of onnxruntime report every session to its maker and keep a device id in the home folder
# (microsoft/onnxruntime#27379). They look at this variable once, when they are imported: hence here, before any
# module of this room. Spawned processes inherit it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
