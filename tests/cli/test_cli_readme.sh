#!/bin/sh
# test_cli_readme.sh TINAMOU FOLDER: the commands of README.md do what it says, and its C example compiles with what they generate.
set -eu
tinamou=$1 folder=$2
readme=$(cd "$(dirname "$0")/../.." && pwd)/README.md
rm -rf "$folder"
mkdir -p "$folder/build/release"
cp "$tinamou" "$folder/build/release/tinamou"
cd "$folder"

grep '^build/release/tinamou ' "$readme" >commands
[ "$(wc -l <commands)" -ge 3 ] || { echo "README.md shows only: $(cat commands)"; exit 1; }
while IFS= read -r command; do
    echo "$command"
    sh -c "$command" </dev/null >>out 2>log || { cat log; exit 1; }
done <commands
grep -q ' 0 differ from the reference' out
[ -s my-gestures/runs/*/report.html ]

{
    sed -n '/^```c$/,/^```$/p' "$readme" | grep '^#include'
    echo 'void read_sensor(int16_t *counts);'
    echo 'void on_gesture(int class_index);'
    echo 'void application(void);'
    echo 'void application(void)'
    echo '{'
    sed -n '/^```c$/,/^```$/p' "$readme" | grep -v -e '^```' -e '^#include'
    echo '}'
} >application.c
gcc -std=c99 -Wall -Wextra -Werror -I "$(dirname my-gestures/runs/*/code/my_gestures.h)" -c application.c -o application.o
echo "README.md: $(wc -l <commands) commands and the example are good"
