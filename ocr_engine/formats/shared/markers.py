"""What an item of a list begins with."""

import re

MARKER = re.compile(r"^\s*(?:(?P<bullet>[•·▪‣◦●○■–—*-])|\(?(?P<number>\d{1,3})[.)])\s+")
