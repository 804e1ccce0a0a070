#!/bin/sh
# check_configuration_page.sh FOLDER: every key of src/project/config_schema.c has a row in docs/configuration.md, and the other way round.
set -eu
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tr '\n' ' ' <src/project/config_schema.c | grep -o -e '\(NUMBER\|RANGE\|LIMIT\|BOOL\|TEXT\|TEXTS\|LIST\|SECTION\)(tin_[a-z_]*, *[a-z_]*' -e 'LAYER([a-z_]*, [0-9]' -e '\.key = "[a-z_]*"' |
    sed 's/^LAYER(\([a-z_]*\).*/\1/; s/.*, *//; s/.*"\(.*\)"/\1/' | sort -u >"$work/schema"
# sections are headings, `layers` is told of in the text
{
    grep -o '^| `[a-z_]*`' docs/configuration.md | tr -d '|` '
    sed -n 's/^## `\([a-z_]*\)`$/\1/p' docs/configuration.md
    grep -o '^`layers`' docs/configuration.md | tr -d '`'
} | sort -u >"$work/page"
[ "$(wc -l <"$work/schema")" -gt 50 ] || { echo "only $(wc -l <"$work/schema") keys found in the schema"; exit 1; }
diff "$work/schema" "$work/page" || { echo "left: in the schema only; right: in the page only"; exit 1; }
