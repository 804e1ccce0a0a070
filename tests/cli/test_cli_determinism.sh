#!/bin/sh
# test_cli_determinism.sh TINAMOU FOLDER: the whole way twice, with one thread and with two, gives the same bytes of every file.
set -eu
tinamou=$1 folder=$2
. "$(dirname "$0")/small_project.sh"
rm -rf "$folder"
mkdir -p "$folder"
for threads in 1 2; do
    small_project "$folder/$threads"
    (cd "$folder/$threads" && "$tinamou" run --quiet --threads $threads >/dev/null)
done
same_results "$folder/1" "$folder/2"
echo "the same bytes: $(wc -l <"$folder/1.results") files"
