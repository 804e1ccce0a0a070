#!/bin/sh
# check_page.sh FOLDER: opens report.html of FOLDER/whole, FOLDER/states and FOLDER/bare in a headless browser; fails on any message on the console
# and when a section is missing. Exit code 77: no browser.
set -eu
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# open NAME: the page after its script ran in $work/NAME.html, what the browser said in $work/NAME.log
open() {
    [ -f "$1/$2/report.html" ] || { echo "$1/$2/report.html is missing; run test_report first" >&2; exit 1; }
    timeout 60 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --user-data-dir="$work/profile" --enable-logging=stderr --virtual-time-budget=3000 \
        --dump-dom "file://$1/$2/report.html" >"$work/$2.html" 2>"$work/$2.log"
    if grep CONSOLE "$work/$2.log"; then
        echo "$2: the page wrote to the console" >&2
        exit 1
    fi
}

# need NAME TEXT: the page says so
need() {
    grep -qF "$2" "$work/$1.html" || { echo "$1: the page lacks: $2" >&2; exit 1; }
}

open "$1" whole
for title in 'Threshold: what it costs to be stricter' 'Timelines of the test people' '<h3>Events</h3>' '<h3>Frames</h3>' \
    '<h2>Latency</h2>' 'detectors that look at nothing' 'Test people one by one' 'Fine-tuning with quantisation' 'Footprint on the device' \
    'Where these figures come from' '<canvas' 'type="range"' '18 of 18'; do
    need whole "$title"
done
need whole 'a &lt;/script&gt; title: what the user'
need whole '&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;' # a class name that tries to be a script is text

# a user moves the slider to the strictest threshold, looks at the validation people, and takes the second recording
mkdir "$work/used"
sed '$d' "$1/whole/report.html" >"$work/used/report.html" # without </html>
cat >>"$work/used/report.html" <<'EOF'
<script>
setTimeout(() => {
    const slider = document.querySelector("input[type=range]");
    slider.value = slider.max;
    slider.dispatchEvent(new Event("input"));
    document.querySelector("input[value=validation]").click();
    const select = document.querySelector("select");
    select.value = "1";
    select.dispatchEvent(new Event("change"));
    document.title = "used";
}, 200);
</script></html>
EOF
open "$work" used
need used '0 of 18' # nothing is found there
need used '<title>used</title>'

# no class is an event; some labels are no class
open "$1" states
for text in '19 labelled intervals.' 'Stretches without a label are left out' 'without looking at the signals' '<canvas'; do
    need states "$text"
done

open "$1" bare
for sentence in 'No threshold to show' 'No timelines' 'No learning curves' 'Not measured yet'; do
    need bare "$sentence"
done
