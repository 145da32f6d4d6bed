#!/bin/sh
# The article's second example: an image whose own entrypoint is a script with arguments.
echo "script.sh runs as PID $$ with: $*"
