"""A module for each format: `read` says what a file's header says, from its bytes alone and in bounded time.

Our own readers rather than Pillow's, which skip junk byte by byte, walk every frame and, for WebP, allocate the whole
canvas while they open a file: too much for the event loop, where every upload is probed. They raise InvalidImage, or
struct.error or IndexError where an offset or a length leads out of the file.
"""
