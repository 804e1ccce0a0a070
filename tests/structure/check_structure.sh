#!/bin/sh
# check_structure.sh FOLDER: the rules of ARCHITECTURE.md that a machine can check. Prints every breach; exit code 1 if any.
#  1. a folder of src/ includes only itself and the folders after DEPENDS in CMakeLists.txt
#  2. ARCHITECTURE.md shows the same arrows
#  3. a header that says "Private to src/X" in its first comment is included only by src/X, tests and benchmarks
#  4. runtime/ includes only itself, <stdint.h>, <stddef.h> and <string.h>
#  5. names of C files and headers are unique within src/, within runtime/, and within tests/ and bench/
#  6. no source file is longer than 800 lines
set -eu
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
breaches=$work/breaches
: >"$breaches"

# "data: base dataset project" per folder; the command line is the executable's line.
sed -n 's/^tin_module(\([a-z]*\)\(.*\))$/\1 \2/p' CMakeLists.txt | sed 's/LIBRARIES.*//; s/DEPENDS//' |
    awk '{line = $1 ":"; for (i = 2; i <= NF; i++) line = line " " $i; print line}' >"$work/arrows"
# The stages bring what they depend on along, and src/cli may use all of it.
echo "cli: $(sed 's/:.*//' "$work/arrows" | tr '\n' ' ' | sed 's/ $//')" >>"$work/arrows"

find src runtime tests bench -name '*.[ch]' | sort >"$work/files"
grep -Hn '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' $(cat "$work/files") |
    sed 's/^\([^:]*\):\([0-9]*\):[^"]*"\([^"]*\)".*/\1 \2 \3/' >"$work/includes"

awk -v arrows="$work/arrows" '
    BEGIN {
        while ((getline line < arrows) > 0) {
            n = split(line, word, /[: ]+/)
            allowed[word[1] " " word[1]] = 1
            for (i = 2; i <= n; i++) allowed[word[1] " " word[i]] = 1
        }
    }
    $1 ~ /^src\// && $1 !~ /\/targets\// { # targets/ is built for the device, not for the host
        split($1, part, "/"); split($3, to, "/")
        if (!((part[2] " " to[1]) in allowed))
            printf "%s:%s: src/%s may not include \"%s\"; its arrows are in CMakeLists.txt\n", $1, $2, part[2], $3
    }' "$work/includes" >>"$breaches"

while IFS= read -r line; do
    folder=${line%%:*}
    row=$(printf '%s' "${line#*:}" | sed 's/^ *//; s/ /, /g')
    grep -q "^| \`$folder\` | ${row:-nothing} |" ARCHITECTURE.md ||
        echo "ARCHITECTURE.md: no table row '| \`$folder\` | ${row:-nothing} | ...', which CMakeLists.txt says" >>"$breaches"
done <"$work/arrows"

for header in $(grep -l '^/\* Private to src/' $(grep '^src/.*\.h$' "$work/files") || true); do
    folder=$(echo "$header" | cut -d/ -f2)
    awk -v header="${header#src/}" -v folder="$folder" '
        $3 == header && $1 ~ /^src\// && index($1, "src/" folder "/") != 1 {
            printf "%s:%s: \"%s\" is private to src/%s\n", $1, $2, $3, folder
        }' "$work/includes" >>"$breaches"
done

for file in $(grep '^runtime/' "$work/files"); do
    grep -n '^[[:space:]]*#[[:space:]]*include' "$file" | grep -v -e '<stdint.h>' -e '<stddef.h>' -e '<string.h>' -e '<arm_mve.h>' -e '"arm_nn[a-z]*.h"' -e '"runtime/' |
        sed "s|^|$file:|; s|\$| does not belong into the runtime|" >>"$breaches" || true
done

for part in '^src/' '^runtime/' '^tests/\|^bench/'; do
    grep "$part" "$work/files" | sed 's|.*/||' | sort | uniq -d | while IFS= read -r name; do
        echo "$name: there are several files of this name: $(grep "$part" "$work/files" | grep "/$name\$" | tr '\n' ' ')"
    done
done >>"$breaches"

find src runtime tests bench scripts examples \( -name '*.[ch]' -o -name '*.sh' -o -name '*.js' -o -name '*.css' -o -name '*.py' -o \
    -name '*.cmake' -o -name '*.html' -o -name '*.ts' \) | while IFS= read -r file; do
    lines=$(wc -l <"$file")
    [ "$lines" -le 800 ] || echo "$file: $lines lines; split it, 800 are the limit"
done >>"$breaches"

cat "$breaches"
[ ! -s "$breaches" ]
