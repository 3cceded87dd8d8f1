#!/bin/bash
# gap: shares in, the published script's file out; verdicts in, tables and JSON out; bad input.
# gap.sh PROGRAM SOURCES
set -euo pipefail
program=$1 sources=$2
golden=$sources/tests/golden/aggregate
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() {
    echo "FAILED: $1"
    exit 1
}

# code WANTED COMMAND… : the exit code, with a message whenever it is not 0
code() {
    local wanted=$1 got=0
    shift
    "$program" "$@" >said.out 2>said.err || got=$?
    [[ $got == "$wanted" ]] || { cat said.err; fail "gapeval $*: exit code $got, wanted $wanted"; }
    [[ $wanted == 0 || -s said.err ]] || fail "gapeval $*: failed without a message"
}

# says FILE TEXT : a file holds a text
says() {
    grep -qF -- "$2" "$1" || { cat "$1"; fail "$1 does not say: $2"; }
}

# ---- shares -----------------------------------------------------------------------------------

mkdir -p runs.v1
cat >runs.v1/shares.all.json <<'END'
{"zeta": [[0.134615, 0.072115, 0.254808, 0.538462], [0.258824, 0.423529, 0.047059, 0.270588],
          [0.461847, 0.321285, 0.088353, 0.128515], [0.215859, 0.229075, 0.207048, 0.348018]],
 "alpha|1": [[0.5, 0.3, 0.1, 0.104]]}
END
code 0 gap runs.v1/shares.all.json --estimator upstream
says said.out 'Estimator `upstream`'
says said.out '| zeta | 0.546691 | 0.757872, 0.716438, 0.496779, 0.215675 |'
result=runs.v1/shares.all_gapres.json
tr -d ' \n' <$result >packed
says packed '{"results":{"zeta":{"gaps":[0.757872,0.716438,0.496779,0.215675],"gap_mean":0.546691},"alpha|1":{"gaps":['
cp $result first.json
code 0 gap runs.v1/shares.all.json --output second.json --threads 3
cmp first.json second.json || fail "the digits depend on the threads"

# refuse TEXT WORDS : shares that are refused, and leave no file behind
refuse() {
    echo "$1" >bad.json
    code 1 gap bad.json --estimator upstream
    says said.err "$2"
    [[ ! -e bad_gapres.json ]] || fail "a file for refused shares: $1"
}
refuse '{"m": [[0.5, 0.3, 0.1, 0.106]]}' '"m", row 1: the cells'"'"' sum is 1.006'
refuse '{"m": [[0.5, 0.3, 0.1, 0.1], [0.5, 0.3, 0.2]]}' '"m", row 2: wanted four numbers'
refuse '{"m": [[0.5, 0.6, -0.1, 0]]}' 'cell 3 of [p11, p10, p01, p00] is -0.1'
refuse '{"m": [[0.5, "0.3", 0.1, 0.1]]}' 'wanted four numbers'
refuse '{"m": []}' 'wanted a list of rows'
refuse '{"m": 1}' 'wanted a list of rows'
refuse '{}' 'wanted an object'
refuse '[[0.5, 0.3, 0.1, 0.1]]' 'wanted an object'
refuse '{"m": [[0.5, 0.3, 0.1, 0.1]], "m": [[0.5, 0.3, 0.1, 0.1]]}' 'bad.json'
refuse 'not JSON' 'bad.json'
{
    echo '{"m": ['
    for ((i = 0; i < 10000; i++)); do echo '[0.5, 0.3, 0.1, 0.1],'; done
    echo '[0.5, 0.3, 0.1, 0.1]]}'
} >many.json
code 1 gap many.json
says said.err '10001 rows'
code 1 gap absent.json
code 1 gap runs.v1/shares.all.json --output nowhere/x.json

# ---- verdicts ---------------------------------------------------------------------------------

verdicts=$golden/irt_verdicts.csv
for estimator in logit irt upstream; do
    code 0 gap --verdicts "$verdicts" --estimator $estimator --by category --out $estimator.json --threads 1
    says said.out "Estimator \`$estimator\`"
    says said.out '### category'
    says $estimator.json "\"estimator\": \"$estimator\""
    says $estimator.json '"group": "beta"'
    cp said.out $estimator.md
    code 0 gap --verdicts "$verdicts" --estimator $estimator --by category --out again.json --threads 2
    cmp said.out $estimator.md || fail "$estimator: the table depends on the threads"
    cmp again.json $estimator.json || fail "$estimator: the digits depend on the threads"
done
code 0 gap --verdicts "$verdicts"
says said.out 'Estimator `logit`, 95 %'
! grep -q '### category' said.out || fail "categories that nobody asked for"
says irt.md '| m5 | 240 | +2.02 (0.21) | -0.44 (0.17) | +2.46 [+1.97, +2.94] |'
code 0 gap --verdicts "$verdicts" --estimator irt --agq 1 --level 0.9 --out laplace.json
says laplace.json '"nodes": 1'
says laplace.json '"level": 0.9'
says laplace.json '"sd_item": 1.1795'

# A byte order mark, CRLF, quotes, columns in another order, failures, a model that is always right.
printf '\xef\xbb\xbfgen,und,"item",category,model\r\n' >mixed.csv
for i in 1 2 3 4 5 6; do
    printf '%s,%s,"q,%s",c,"a ""1"""\r\n' $((i % 2)) $((i % 3 > 0)) $i
    printf '1,1,"q,%s",c,perfect\r\n' $i
done >>mixed.csv
printf ',1,q7,c,"a ""1"""\r\n' >>mixed.csv
code 0 gap --verdicts mixed.csv --estimator irt --out mixed.json
says said.out '| a "1" | 6 |'
says said.out '– separated'
says said.out '### Failures'
says mixed.json '"reason": "separated"'
says mixed.json '"failed_gen": 1'

# ---- a run's report shows all three ---------------------------------------------------------------

code 0 run "$sources/jobs/demo.json" --limit 24 --output "$folder/out" --quiet \
    --set 'aggregation.estimators=["logit", "upstream", "irt"]' --set aggregation.irt_nodes=9
for estimator in logit irt upstream; do says said.out "Estimator \`$estimator\`"; done
says said.out '9 quadrature nodes'
cp said.out first.md
summary=$(find out -name summary.json)
says "$summary" '"estimators": {'
says "$summary" '"theta_und": {'
code 0 report "$(dirname "$summary")"
cmp said.out first.md || fail "report differs from the run's tables"
code 1 plan "$sources/jobs/demo.json" --set 'aggregation.estimators=["median"]'
says said.err 'aggregation.estimators'

# ---- what is refused ----------------------------------------------------------------------------

printf 'model,item,category,und,gen\na,q1,c,0.5,1\na,q2,c,0,1\n' >fractions.csv
code 0 gap --verdicts fractions.csv --estimator logit
code 1 gap --verdicts fractions.csv --estimator irt
says said.err 'fractions.csv, line 2: verdict 0.5 of 1 judgements'
printf 'model,item,category,und,gen\na,q1,c,1,1\na,q1,c,0,1\n' >twice.csv
code 1 gap --verdicts twice.csv
says said.err 'line 3: model "a", item "q1" is on line 2 already'
printf 'model,item,category,und,gen\na,q\xff,c,1,1\n' >latin.csv
code 1 gap --verdicts latin.csv
says said.err 'line 2: not UTF-8'
code 1 gap --verdicts absent.csv
code 1 gap --verdicts "$verdicts" --out nowhere/x.json
code 2 gap
code 2 gap runs.v1/shares.all.json --verdicts "$verdicts"
code 2 gap runs.v1/shares.all.json --estimator logit
says said.err 'needs the verdicts of each item'
code 2 gap --verdicts "$verdicts" --estimator best
code 2 gap --verdicts "$verdicts" --by tag
code 2 gap --verdicts "$verdicts" --level 95
code 2 gap --verdicts "$verdicts" --agq 0
code 2 gap --verdicts "$verdicts" --agq 101
code 0 gap --help
says said.out '--verdicts FILE.csv'
echo "gap: fine"
