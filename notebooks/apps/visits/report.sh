#!/bin/sh
# report.sh: all pages, the most visited first. report.sh PAGE: that page. It reads index.txt, which lies beside it.
index=$(dirname "$0")/index.txt
[ -r "$index" ] || { echo "there is no $index" >&2; exit 2; }
if [ $# -eq 0 ]; then
    sort -k2,2nr -k1,1 "$index" | awk '
        { printf "%-12s %7d visits on %d days\n", $1, $2, $3; all += $2 }
        END { printf "%-12s %7d visits\n", "all", all }'
else
    awk -v page="$1" '
        $1 == page { print page ": " $2 " visits on " $3 " days"; found = 1 }
        END { if (!found) { print "nobody visited " page; exit 1 } }' "$index"
fi
