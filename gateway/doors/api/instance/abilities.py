"""What this installation can and how much of it, as apps are told: each limit is the one that is checked elsewhere."""

from typing import Any, Final
from urllib.parse import urlsplit

from gateway.doors.api.frame.call import ApiCall
from gateway.files import file_types, image_sanitizer
from gateway.network.people import statuses
from gateway.network.people.handles import LONGEST_NAME
from gateway.network.posts import posts
from gateway.version import VERSION

# Of whose API a client may count on. From 4.4.0 on a library refuses the password grant of conformance runs by itself.
API_VERSION: Final = "4.3.0"
API_GENERATION: Final = 1  # 2 promises grouped notifications, which there are not


def version() -> str:
    return f"{API_VERSION} (compatible; Critter {VERSION})"


def streaming_url(call: ApiCall) -> str:
    """Where a web socket is opened."""
    there = urlsplit(call.settings.stream_url)
    return there._replace(scheme="wss" if there.scheme == "https" else "ws").geturl()


def limits(call: ApiCall) -> dict[str, Any]:
    """Of updates, files and accounts."""
    largest = call.settings.media_largest
    return {
        "accounts": {
            "max_featured_tags": 0, "max_pinned_statuses": 0, "max_display_name_length": LONGEST_NAME,
            "max_note_length": statuses.LONGEST,
        },
        "statuses": {
            "max_characters": posts.LONGEST, "max_media_attachments": call.settings.media_most,
            "characters_reserved_per_url": 23, "supported_mime_types": ["text/plain"],
        },
        "media_attachments": {
            "supported_mime_types": [*file_types.PICTURES, *file_types.PLAYED, *file_types.DOCUMENTS],
            "image_size_limit": largest, "image_matrix_limit": image_sanitizer.PIXELS, "video_size_limit": largest,
            "video_frame_rate_limit": 120, "video_matrix_limit": image_sanitizer.PIXELS,
        },
        "polls": {"max_options": 0, "max_characters_per_option": 0, "min_expiration": 0, "max_expiration": 0},
    }  # fmt: skip
