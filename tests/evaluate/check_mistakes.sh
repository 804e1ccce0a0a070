#!/bin/sh
# check_mistakes.sh FOLDER: uses the list of mistakes in FOLDER/page/report.html as a person would: goes through it, filters, sends labels to
# relabel, and downloads them; they must be the bytes of FOLDER/page/relabel.csv, which the C code wrote. Fails on any message on the console.
# Exit code 77: no browser.
set -eu
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "$*" >&2
    exit 1
}
[ -f "$1/page/report.html" ] || fail "$1/page/report.html is missing; run test_mistakes first"

sed '$d' "$1/page/report.html" >"$work/used.html" # without </html>
cat >>"$work/used.html" <<'EOS'
<script>
const said = [];
const say = (name, ...values) => said.push(name + ": " + values.join(" | "));
const $ = (selector) => document.querySelector(selector);
const rows = () => [...document.querySelectorAll(".mistake-list tbody tr")];
const selected = () => rows().findIndex((r) => r.getAttribute("aria-selected") === "true");
const text = (row) => [...row.children].map((c) => c.textContent.trim()).join(",");
const key = (k) => $(".mistake-list").dispatchEvent(new KeyboardEvent("keydown", {key: k, bubbles: true}));
const pick = (label, value) => {
    const select = [...document.querySelectorAll(".pick label")].find((l) => l.textContent.startsWith(label)).querySelector("select");
    select.selectedIndex = [...select.options].findIndex((o) => o.textContent === value);
    select.dispatchEvent(new Event("change"));
};
const list = () => [...document.querySelectorAll(".relabel tbody tr")].map(text);
const send = (start, end, name) => {
    if (start !== undefined) $("input[name=start]").value = start;
    if (end !== undefined) $("input[name=end]").value = end;
    if (name !== undefined) $("select[name=class]").value = name;
    $("button.send").click();
    return $(".form .fault").textContent;
};
// what the browser is given to download; read at once, since a blob's own text() may come after the page is looked at
const files = [];
window.Blob = class extends Blob {
    constructor(parts, options) {
        super(parts, options);
        files.push(parts.join(""));
    }
};
const links = [];
HTMLAnchorElement.prototype.click = function() { links.push(this.download + " " + this.href.slice(0, 5)); };

setTimeout(() => {
    say("counts", ...[...document.querySelectorAll(".mistake-counts tbody tr")].map(text));
    rows().forEach((r) => say("row", text(r)));
    const logits = rows().map((r) => Number(r.children[4].textContent));
    say("falling", logits.every((v, i) => i === 0 || v <= logits[i - 1]));
    say("download first", $("button.download").disabled);
    key("n"); key("n"); say("keys n n", selected());
    key("p"); say("key p", selected(), $(".mistake-detail output").textContent);
    key("End"); say("key End", selected());
    rows()[0].click(); say("click", selected());
    pick("what", "missed"); say("missed", rows().length, $(".words").textContent);
    const words = $(".words a");
    words.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}));
    pick("what", "all"); say("all", rows().length);
    pick("class", "<b>knock</b>"); say("knock", rows().length);
    pick("class", "all");
    pick("order", "by recording and time"); say("in time", ...rows().map((r) => r.lastChild.textContent));
    pick("order", "most confident first");

    // a label of its own makes two rows; what data.relabel would refuse is refused
    pick("what", "missed");
    say("moved", send("9", "9.5"), ...list());
    say("backwards", send("10", "9"));
    say("outside", send("0", "12"));
    pick("what", "false alarm");
    say("over a label", send("25", "30.05", "<b>knock</b>"));
    say("ignored", send("26", "27", "ignore"), ...list());
    say("warned", $(".warning").textContent.slice(0, 30));
    // back to what is proposed, in the order of the page
    while ($(".relabel tbody button")) $(".relabel tbody button").click();
    say("empty", list().length, $(".warning").textContent);
    pick("what", "all");
    rows().map((r, i) => i).filter((i) => rows()[i].children[1].textContent !== "reported again").forEach((i) => {
        rows()[i].click();
        key("r");
    });
    say("sent", document.querySelectorAll(".mistake-list tr.sent").length, list().length);
    $("button.download").click();
    say("link", ...links);
    setTimeout(() => {
        say("hash", location.hash);
        say("cells", ...[...document.querySelectorAll(".matrix a")].map((a) => a.getAttribute("href")));
        location.hash = $(".matrix a").getAttribute("href");
    }, 100);
    setTimeout(() => {
        say("wrong", $("button.only").textContent, ...rows().map((r) => r.children[1].textContent));
        location.hash = "#mistakes=test&true=-1&said=1";
    }, 200);
    setTimeout(() => {
        say("false", $("button.only").textContent, ...rows().map((r) => r.children[1].textContent));
        location.hash = "#mistakes=validation&true=1&said=-1";
    }, 300);
    setTimeout(() => {
        say("none", $("button.only").textContent, rows().length, $(".mistake-detail output").textContent);
        $("button.only").click();
        say("again", rows().length, $("button.only").hidden);
    }, 400);
    setTimeout(() => {
        const pre = document.createElement("pre");
        pre.id = "said";
        pre.textContent = "\n" + said.join("\n") + "\n--- file\n" + files[0] + "--- end\n";
        document.body.append(pre);
    }, 500);
}, 300);
</script></html>
EOS

# open NAME FILE: the page after its script ran in $work/NAME.html; one person, whose browser remembers
open() {
    timeout 60 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --user-data-dir="$work/profile" --enable-logging=stderr --virtual-time-budget=5000 \
        --window-size=1250,900 --dump-dom "file://$2" >"$work/$1.html" 2>"$work/$1.log"
    if grep CONSOLE "$work/$1.log"; then
        fail "$1: the page wrote to the console"
    fi
}
open page "$work/used.html"
sed -n '/<pre id="said">/,/<\/pre>/p' "$work/page.html" | sed 's/&lt;/</g; s/&gt;/>/g; s/&nbsp;/ /g; s/&amp;/\&/g' >"$work/said"

while IFS= read -r line; do
    grep -qxF -- "$line" "$work/said" || fail "the page did not say '$line', but: $(cat "$work/said")"
done <<'EOS'
counts: validation people,0,0,0,0,0 | test people,1,1,1,1,0
falling: true
download first: true
keys n n: 2
key p: 1 | 2 of 4
key End: 3
click: 0
all: 4
knock: 1
in time: 10.00 s | 15.00 s | 25.00 s | 33.50 s
moved:  | eve,10.000,12.000,</script>, "wave",ignore,test,remove | eve,9.000,9.500,new,rest,test,remove
backwards: The end must come after the start.
outside: Only what the picture shows can be changed here.
over a label: There is a label </script>, "wave" already, from 30.000 s.
ignored:  | eve,10.000,12.000,</script>, "wave",ignore,test,remove | eve,9.000,9.500,new,rest,test,remove | eve,26.000,27.000,new,ignore,test,remove
warned: 2 of them are of test people. 
empty: 0 | 
sent: 3 | 3
link: relabel.csv blob:
hash: #stream=eve&from=10.000&to=12.000
cells: #mistakes=test&true=1&said=2 | #mistakes=test&true=1&said=-1 | #mistakes=test&true=-1&said=1
wrong: only test people: </script>, "wave" → <b>knock</b> ✕ | wrong class
false: only test people: no event → </script>, "wave" ✕ | false alarm
none: only validation people: </script>, "wave" → no report ✕ | 0 | none of this kind
again: 4 | true
EOS
[ "$(grep -c '^row: ' "$work/said")" = 4 ] || fail "not four mistakes: $(cat "$work/said")"
grep -q '^missed: 1 | missed: </script>, "wave" was not reported. The model preferred rest there: by ' "$work/said" || fail "no words: $(cat "$work/said")"
sed -n '/^--- file$/,/^--- end$/p' "$work/said" | sed '1d;$d' >"$work/downloaded.csv"
cmp "$work/downloaded.csv" "$1/page/relabel.csv" || fail "the download differs: $(diff "$work/downloaded.csv" "$1/page/relabel.csv")"

# the list is still there the next time, and for this run only
open again "$1/page/report.html"
grep -q '<p class="note">3 labels. Put the file' "$work/again.html" || fail "the browser forgot the list"
sed 's/"model_hash":"[0-9a-f]*"/"model_hash":"other"/' "$1/page/report.html" >"$work/changed.html"
open other "$work/changed.html"
grep -q '<p class="note">None yet' "$work/other.html" || fail "another run has the list"

# what is left out is said
open many "$1/many/report.html"
grep -q 'The page holds the 300 most confident of 1,600 mistakes (19' "$work/many.html" || fail "it is not said that mistakes are left out"
