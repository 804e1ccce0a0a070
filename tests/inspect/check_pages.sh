#!/bin/sh
# check_pages.sh FOLDER: opens check.html, clean.html and stats.html of FOLDER in a headless browser, uses the signal view as a person would,
# and fails on any message on the console, on missing parts, on numbers that are not those of the JSON, and on slow pictures.
# Exit code 77: no browser.
set -eu
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "$*" >&2
    exit 1
}

# open NAME FILE [HASH]: the page after its script ran in $work/NAME.html
open() {
    [ -f "$2" ] || fail "$2 is missing; run test_stats first"
    timeout 90 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --user-data-dir="$work/profile" --enable-logging=stderr --window-size=1300,900 \
        ${budget:---virtual-time-budget=5000} --dump-dom "file://$2${3:-}" >"$work/$1.html" 2>"$work/$1.log"
    if grep CONSOLE "$work/$1.log" | grep -v willReadFrequently; then # that one is about reading back, below
        fail "$1: the page wrote to the console"
    fi
}

need() {
    grep -qF "$2" "$work/$1.html" || fail "$1: the page lacks: $2"
}

open check "$1/check.html"
need check 'a &lt;/script&gt; title: what is wrong with the data'
need check 'Labels that the model contradicts: 1'
need check 'Events that only the model sees: 1'
need check '&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;' # a class name that tries to be a script is text
need check 'href="stats.html#stream=r2&amp;from='
need check '<canvas class="picture"'
open clean "$1/clean.html"
need clean 'Nothing is certainly or probably wrong. 0 faults, 0 warnings, 0 notes'

# A person follows a link of the checks, then zooms and moves through the hour of r1 with wheel and keys. Pictures are painted at once instead
# of with the screen's next one, and read back, so that all of their work is in the time that is taken.
cat >"$work/before" <<'EOS'
<script>
window.paints = [];
window.requestAnimationFrame = (act) => {
    const start = performance.now();
    act(start);
    document.querySelector("canvas.signals").getContext("2d").getImageData(0, 0, 1, 1);
    window.paints.push(performance.now() - start);
};
</script>
EOS
cat >"$work/after" <<'EOS'
<script>
{
    const canvas = document.querySelector("canvas.signals");
    const where = () => document.querySelector(".pick output").textContent;
    const seen = [where()];
    const select = document.querySelector("select");
    select.value = [...select.options].find((o) => o.textContent === "r1").value;
    select.dispatchEvent(new Event("change"));
    seen.push(where());
    canvas.focus();
    paints.length = 0;
    const box = canvas.getBoundingClientRect();
    const key = (k) => canvas.dispatchEvent(new KeyboardEvent("keydown", {key: k, bubbles: true}));
    for (const turn of [-1, 1]) {
        for (let i = 0; i < 20; i++) {
            canvas.dispatchEvent(new WheelEvent("wheel", {deltaY: 100 * turn, clientX: box.left + 500, clientY: box.top + 100, cancelable: true}));
            key(i % 2 ? "ArrowRight" : "ArrowLeft");
        }
        if (turn < 0) seen.push(where());
    }
    key("0");
    seen.push(where());
    paints.sort((a, b) => a - b);
    const at = (share) => paints[Math.floor(share * (paints.length - 1))].toFixed(1);
    document.title = `views: ${seen.join("; ")} | paints ${paints.length}, median ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${at(1)} ms`;
}
</script></html>
EOS
mkdir "$work/used"
sed "/<meta charset/r $work/before" "$1/stats.html" | sed '$d' >"$work/used/stats.html"
cat "$work/after" >>"$work/used/stats.html"
budget=--disable-sync # real time: virtual time stands still while pictures are painted
open stats "$work/used/stats.html" '#stream=r2&from=20&to=30'
budget=
sed -n 's|.*<title>\(views.*\)</title>.*|\1|p' "$work/stats.html"
need stats 'views: 10.00 to 40.00 s; 0.00 to 3600.00 s; '
need stats '; 0.00 to 3600.00 s | paints 81'
need stats 'Of 1 long recording it holds least and greatest values only.'
need stats '&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;'
median=$(sed -n 's/.*median \([0-9.]*\) ms.*/\1/p' "$work/stats.html" | head -1)
awk -v ms="$median" 'BEGIN { exit !(ms > 0 && ms < 50) }' || fail "a picture of an hour takes $median ms"

# numbers of the class tap as the JSON has them
need stats "<th scope=\"row\">tap (event)</th>$(cat "$1/tap.html")"

# a recording that is not in the page is named, with the mend
open absent "$1/stats.html" '#stream=nobody'
need absent 'data stats --stream nobody'
