#!/usr/bin/env bash
# Finds words that slow down readers: in code, comments, messages and documents.
#
#     scripts/check-words.sh [PATH…]      # default: code, scripts, cluster, docs and *.md
#
# Prints FILE:LINE: TEXT for each. Exit status 1 if there are any. Say instead: fix, again, so that … not, also, that
# many, expected X or must be X, is not a X, does not allocate, only the head.
set -euo pipefail
cd "$(dirname "$0")/.."

words='\b(mend|mends|mended|mending|anew|lest|besides|so many|asks the heap|the head alone)\b'
words+='|\b(was|were) needed\b|\bneeded (is|are)\b|(?<!there) is no ([a-z]+ )?(file|number|string|folder|object)\b'

# Lines that may keep such a word, as extended regular expressions over FILE:LINE: TEXT, each with its reason.
exceptions=(
    '^scripts/check-words\.sh:'                     # the list itself
    'begin\(anew'                                   # argument label of RunJournal and JournalHistory, a name in code
    'besides ignored:|besides: '                    # argument label of set(occurring:besides:), a name in code
    '^[^:]*CHANGELOG\.md:'                          # history is not rewritten
)

paths=("$@")
if [ ${#paths[@]} -eq 0 ]; then paths=(Sources Tests scripts cluster docs Benchmarks ./*.md); fi
found=$(grep -rnIPi --exclude-dir=Fixtures --exclude='*.json' -e "$words" "${paths[@]}" || true)
for exception in "${exceptions[@]}"; do found=$(grep -vE "$exception" <<<"$found" || true); done
[ -z "$found" ] && exit 0
printf '%s\n' "$found"
exit 1
