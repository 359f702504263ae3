#!/bin/sh
# Checks every port map (or the one of --map NAME) and exits 1 naming each fault.
set -eu
cd "$(dirname "$0")/.."
exec dotnet run --project src/Silo -- ports validate "$@"
