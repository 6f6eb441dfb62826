#!/usr/bin/env bash
# The report in a real browser: it loads without an error or a request, sorts, filters, tells values,
# and nothing overflows on a narrow or a wide screen; also with names that try to be more than names.
# shellcheck source=../tap.sh
source "$(dirname "$0")/../tap.sh"
here=$(cd "$(dirname "$0")" && pwd)
TAP_LIMIT=120

for needed in gnuplot chromium; do
  command -v $needed > /dev/null || { skip "the report in a browser" "$needed is not installed"; finish; }
done

cat > study.ini << 'INI'
[study]
directory = out
clinical = clinical.tsv
[simulation]
patients = 24
images_per_patient = 3
genes = 30
sets = 2
links = 4
effect = 0.7
[images]
manifest = out/simulated/images.tsv
size = 32
[autoencoder]
epochs = 2
[genomics]
table = factors.tsv
[clustering]
iterations = 20
clusters = 3
[prediction]
outcomes = T,ER
folds = 3
inner_folds = 3
lambdas = 10
bootstrap = 50
INI

# Expression becomes a table of factors with names from hell; T has one class.
cat > names.py << 'PYTHON'
import csv, sys
rows = list(csv.reader(open("out/simulated/expression.tsv"), delimiter="\t"))
odd = ["<script>window.stranger=1</script>", "A & B \"quoted\" 'twice'", "x" * 300, "Ångström β-catenin 基因",
       "<img src=x onerror=window.stranger=2>", "$(touch stranger) `touch stranger`", "%n%s%d", "../../stranger",
       "'; system 'touch stranger'; '", "a^b_c{d}\\n@e"]
by_patient = rows[0][0].lower() in ("patient", "sample", "barcode")
if not by_patient:
    rows = list(map(list, zip(*rows)))
    rows[0][0] = "patient"
for i, name in enumerate(odd):
    rows[0][1 + i] = name
# Factors that have hits, with names as long and as wide as those of pathways.
properties = list(csv.reader(open("out/simulated/properties.tsv"), delimiter="\t"))
for k in (1, 2, 3):
    of = {row[0]: row[k] for row in properties[1:]}
    rows[0].append("REACTOME_%s_INTERACTIONS_AND_MORE_%d" % ("W" * 20, k))
    for row in rows[1:]:
        row.append(of.get(row[0], ""))
csv.writer(open("factors.tsv", "w"), delimiter="\t").writerows(rows)
rows = list(csv.reader(open("out/simulated/clinical.tsv"), delimiter="\t"))
rows[0].append("<b>site")
t = rows[0].index("T")
for i, row in enumerate(rows[1:]):
    row[t] = "1"
    row.append(odd[i % len(odd)])
csv.writer(open("clinical.tsv", "w"), delimiter="\t").writerows(rows)
PYTHON

radmix_on 2 simulate study.ini -q -s study.clinical=
/usr/bin/python3 names.py
radmix_on 2 run study.ini -q
ok "$code" "a study with odd names and an outcome of one class is reported"
[ "$code" = 0 ] || grep '^radmix: ' err.txt
[ ! -e stranger ] && [ -z "$(find . -name 'stranger*')" ]
ok $? "no name became a command or a path"

# The page with the probe, in frames of the widths of a telephone and of a screen: a browser's window
# cannot be as narrow. What they answer is in probe.txt, what the browser says in browser.txt.
sed -e 's|</body>||' -e 's|</html>||' out/report/index.html > probed.html
{ echo '<script>'; cat "$here/page_probe.js"; echo '</script></body></html>'; } >> probed.html
cat > frames.html << 'HTML'
<!DOCTYPE html><meta charset="utf-8"><pre id="answers"></pre><script>
addEventListener('message', function (event) {
  document.getElementById('answers').textContent += '\n' + event.data.join('\n') + '\n';
});
</script>
<iframe src="probed.html" width="375" height="800" frameborder="0"></iframe>
<iframe src="probed.html" width="1295" height="900" frameborder="0"></iframe>
HTML
timeout 100 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
  --user-data-dir="$PWD/profile" --disable-background-networking --window-size=1400,1800 \
  --force-device-scale-factor=1 --enable-logging=stderr --virtual-time-budget=20000 \
  --dump-dom "file://$PWD/frames.html" > dom.html 2> browser.txt
sed -n '/<pre id="answers">/,/<\/pre>/p' dom.html | grep ' px, ' > probe.txt

while IFS= read -r line; do
  [ -z "${line#*: }" ]
  good=$?
  ok $good "${line%%:*}"
  [ $good = 0 ] || echo "# $line"
done < probe.txt
[ "$(wc -l < probe.txt)" = 14 ] && [ "$(grep -c '^360 px' probe.txt)" = 7 ]
ok $? "the page answers everything, at both widths"
! grep -E 'CONSOLE' browser.txt > console.txt
ok $? "there is no message on the console"
sed 's/^/# /' console.txt
finish
