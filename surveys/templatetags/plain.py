"""What customers wrote, with everything in it to be seen; a filter of templates as well."""

import re

from django import template

# Control characters, overrides of direction (Unicode UAX 9) and what has no width: nobody sees
# them, and they make a text look like another one. Those that scripts and emoji need are spared.
UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b\u2028-\u202e\u2060-\u206f\ufeff]"
)

register = template.Library()


@register.filter
def plain_to_see(text: str) -> str:
    """The text with a mark such as “[U+202E]” for each character that would hide or mislead."""
    return UNSEEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)
