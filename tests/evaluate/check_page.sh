#!/bin/sh
# check_page.sh FOLDER: opens report.html of FOLDER/whole, FOLDER/positions, FOLDER/states and FOLDER/bare in a headless browser; fails on any message on the console
# and when a section is missing. Exit code 77: no browser.
set -eu
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || exit 77
page=$1
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
for title in 'Threshold: what it costs to be stricter' 'Timelines of the test people' 'Events of the test people</h3>' '<h2>Frames</h2>' \
    '<h3>Latency</h3>' 'detectors that look at nothing' 'Test people one by one' 'Events class by class' 'Calibration: is the model' 'class="reliability"' 'that the model never saw' 'Responsive or strict: the rules to choose from' 'class="front"' '>balanced<' 'Fine-tuning with quantisation' 'Footprint on the device' \
    'Where these figures come from' '<canvas' 'type="range"' '18 of 18'; do
    need whole "$title"
done
need whole 'a &lt;/script&gt; title: what the user'
need whole '&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;' # a class name that tries to be a script is text

# use NAME: the page of NAME, with the script of standard input behind its own, as NAME-used
use() {
    mkdir -p "$work/$1-used"
    sed '$d' "$page/$1/report.html" >"$work/$1-used/report.html" # without </html>
    { echo '<script>'; cat; echo '</script></html>'; } >>"$work/$1-used/report.html"
    open "$work" "$1-used"
}

# a user moves the slider to the strictest threshold, looks at the validation people, and takes the second recording
use whole <<'EOF'
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
EOF
need whole-used '0 of 18' # nothing is found there
need whole-used '<title>used</title>'

# at every position of the slider the page shows what test_report had from the decision layer
use positions <<'EOF'
setTimeout(() => {
    const slider = document.querySelector("input[type=range]");
    const lines = [];
    for (let p = 0; p <= Number(slider.max); p++) {
        slider.value = String(p);
        slider.dispatchEvent(new Event("input"));
        const rows = [...document.querySelectorAll(".figures tbody tr")].slice(0, 4);
        const cells = rows.map((row) => row.querySelector("td").firstChild.firstChild?.textContent ?? row.querySelector("td").textContent);
        const words = document.querySelector(".said").textContent;
        cells[3] = cells[3].replace(/^\S+ /, "");
        lines.push([p, ...cells, words.replace(/^\d+ events?: (.*)[.]$/, "$1")].join("|"));
    }
    document.body.append(Object.assign(document.createElement("pre"), {id: "seen", textContent: lines.join("\n") + "\n"}));
}, 200);
EOF
sed -n '/<pre id="seen">/,/<\/pre>/p' "$work/positions-used.html" | sed 's/.*<pre id="seen">//; /<\/pre>/d' | sed 's/&nbsp;/\xc2\xa0/g' >"$work/seen.txt"
diff "$page/positions/expected.txt" "$work/seen.txt" >&2 || { echo "positions: the page shows (>) other figures than the decision layer gives (<)" >&2; exit 1; }

# no class is an event; some labels are no class
open "$1" states
for text in '19 labelled intervals.' 'Stretches without a label are left out' 'without looking at the signals' '<canvas'; do
    need states "$text"
done

open "$1" bare
for sentence in 'No threshold to show' 'No timelines' 'No learning curves' 'Not measured yet'; do
    need bare "$sentence"
done
