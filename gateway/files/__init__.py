"""Pictures and files: what one is by its bytes, how a picture is cleaned, where a file is kept."""
