# Simulated raters for the demo's answers: truth.jsonl in, a table of ratings out.
# Three raters score every answer of a random part of the items from 1 to 5; each mistakes right for
# wrong, or the reverse, in `error` of the cases. Same input, same ratings.
function draw() { # Lehmer's generator (Park and Miller 1988): the same numbers in every awk
    seed = (seed * 16807) % 2147483647
    return seed / 2147483647
}
function field(name) {
    match($0, "\"" name "\": \"?[^,\"}]*")
    value = substr($0, RSTART, RLENGTH)
    sub(/^"[a-z]*": "?/, "", value)
    return value
}
BEGIN {
    seed = 20240611
    print "item,system,direction,rater,dimension,score"
}
{
    item = field("item")
    system_ = field("system")
    if (!(item in rated)) rated[item] = draw() < part
    for (d = 0; d < 2; d++) {
        direction = d == 0 ? "und" : "gen"
        right = field(direction) + 0
        for (r = 1; r <= 3; r++) {
            says = draw() < error ? 1 - right : right
            score = says ? 4 + (draw() < 0.6) : 1 + (draw() < 0.4)
            if (rated[item] && draw() < 0.9) { # now and then a rater skips an answer
                printf "%s,%s,%s,rater %d,quality,%d\n", item, system_, direction, r, score
            }
        }
    }
}
