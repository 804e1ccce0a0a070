#!/bin/sh
# prove.sh undefined|misra|warnings FOLDER/NAME.c [...]: what docs/proofs.md says of generated code, for your own NAME.c. Its exit
# code says whether it holds; if it does not, what the tool found is printed.
#   undefined  no undefined behaviour on any frames, by Frama-C/Eva; [...]: machines (default x86_16 x86_32 x86_64 ppc_32)
#   misra      cppcheck is silent, and of MISRA C:2012 only the rules listed in docs/proofs.md are not followed
#   warnings   no warning of gcc and clang, as C and C++, for several cores
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
[ $# -ge 2 ] && [ -f "$2" ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
what=$1 folder=$(cd "$(dirname "$2")" && pwd) name=$(basename "$2" .c)
shift 2
source=$folder/$name.c
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "prove: $1" >&2
    cat "$work/log" >&2
    exit 1
}

# Numbers at which a counter of the step turns, so that Eva's ranges stop there.
hints() {
    sed -n "/^int32_t ${name}_step(/,\$p" "$source" | grep -o '[a-z0-9_]* [<>=]\{1,2\} [0-9][0-9]*' | awk '{ print $3 - 1; print $3 }'
    sed -n "s/^#define .*_\(NEEDED\|WAIT\) //p" "$folder/$name.h"
    grep -q "${name}_log_energy_take" "$source" && for bits in 15 16 17 18 19 20 21 22 23; do
        echo $((1 << bits))
        echo -$((1 << bits))
    done
    grep -q "${name}_less_mean" "$source" && for bits in 20 21 22 23 24 25 26 27 28 29 30; do
        echo $(((1 << bits) + 2048))
        echo -$(((1 << bits) + 2048))
    done
    seq 1 16
}

# eva ENTRY MACHINE [OPTION...]
eva() {
    entry=$1 machine=$2
    shift 2
    (cd "$folder" && frama-c -eva "$@" -main "$entry" -machdep "$machine" -warn-invalid-pointer \
        -eva-auto-loop-unroll 100000 -eva-min-loop-unroll 64 -eva-subdivide-non-linear 100 \
        -cpp-extra-args="-I'$folder' -I'$work'" "$root/scripts/prove/stream.c") >"$work/log" 2>&1 || fail "frama-c failed on $machine"
    grep -q '^  0 alarms generated' "$work/log" && grep -q '^  No errors or warnings raised' "$work/log" &&
        ! grep -q 'NON TERMINATING' "$work/log" || {
        grep -A6 'Warning:\|rror:\|TERMINATING' "$work/log" >"$work/short" || true
        mv "$work/short" "$work/log"
        fail "$entry of $name on $machine: Eva does not exclude this"
    }
}

undefined() {
    sigmoid=$(grep -c "^static inline int32_t ${name}_sigmoid" "$source" || true)
    upper=$(echo "$name" | tr '[:lower:]' '[:upper:]')
    {
        echo "#define MODEL $name"
        echo "#define UPPER $upper"
        echo "#define HEADER \"$name.h\""
        echo "#define SOURCE \"$name.c\""
        echo "#define SIGMOID $sigmoid"
        echo "#define HINTS $(hints | sort -nu | paste -sd ,)"
    } >"$work/model.h"
    for machine in "$@"; do
        [ "$sigmoid" = 0 ] || eva sigmoid "$machine"
        eva stream "$machine" -eva-use-spec "${name}_sigmoid"
    done
}

misra() {
    cppcheck --addon=misra --std=c99 --platform=unix32 --enable=warning,style,performance,portability --inline-suppr \
        --suppress=missingIncludeSystem --suppress=legacyUninitvar --suppress=nullPointer \
        --suppress=unusedStructMember --template='{file}:{line}: {id}: {message}' --quiet "$source" >"$work/out" 2>&1 ||
        { mv "$work/out" "$work/log"; fail "cppcheck failed"; }
    sed -n 's/^| \([0-9]*\.[0-9]*\) |.*/\1/p' "$root/docs/proofs.md" | sed 's/.*/: misra-c2012-&: /' >"$work/rules"
    grep -v -F -f "$work/rules" "$work/out" >"$work/log" || true
    [ ! -s "$work/log" ] || fail "cppcheck on $name: not in the list of docs/proofs.md"
}

# compile COMPILER STANDARD [OPTION...]
compile() {
    "$@" -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wundef -Wcast-qual -Wcast-align -Wdouble-promotion -Wvla -pedantic -Werror \
        -fsyntax-only "$source" >"$work/log" 2>&1 || fail "$* on $name"
}

warnings() {
    for standard in c99 c17; do
        compile gcc -std=$standard -Wstrict-prototypes -Wmissing-prototypes -O2
        compile clang -std=$standard -Wstrict-prototypes -Wmissing-prototypes
    done
    for standard in c++11 c++17 c++20; do
        compile g++ -x c++ -std=$standard -O2
        compile clang++ -x c++ -std=$standard
    done
    for core in 'arm-none-eabi -mcpu=cortex-m0' 'arm-none-eabi -mcpu=cortex-m4 -munaligned-access -O2' 'riscv32-unknown-elf' 'avr -mmcu=atmega2560'; do
        # shellcheck disable=SC2086 # words
        compile clang -std=c99 -ffreestanding -isystem "$root/scripts/prove" --target=$core
    done
    # all that clang knows, but gaps in structs, C90, macros that only some configurations use, and functions that may stay
    # unused where assembly stands in their place
    compile clang -std=c99 -Weverything -Wno-padded -Wno-declaration-after-statement -Wno-unused-macros \
        -Wno-used-but-marked-unused
}

case $what in
undefined) [ $# -gt 0 ] || set -- x86_16 x86_32 x86_64 ppc_32; undefined "$@" ;;
misra | warnings) $what ;;
*) echo "prove: '$what' is unknown; use undefined, misra or warnings" >&2; exit 2 ;;
esac
