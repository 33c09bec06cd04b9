#!/bin/sh
# A jammed flow network as a netlist: tools/jammed-to-netlist.sh FILE [SOURCES [CONDUCTANCE]] > network.cir
#
# FILE: "nodes edges box" on the first line, then a line "x y" per node, then a line "i j" per edge, nodes counted from 0.
# SOURCES: nodes held at a pressure, such as 3,17,40; default: 5 spread over the list. They become VP1, VP2, ... at 1 Pa, 0 Pa, ...
# CONDUCTANCE: of every edge at the start, m^3/(s Pa); default 1. Pressures count from a reservoir at ground.
# In SPICE units a volt stands for a pascal and a siemens for a m^3/(s Pa): the experiment says `domain: hydraulic`.
if [ $# -lt 1 ] || [ $# -gt 3 ]; then
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
[ -r "$1" ] || { echo "$0: cannot read $1" >&2; exit 5; }
awk -v sources="${2:-}" -v g="${3:-1}" -v name="$(basename "$1")" '
function bad(text) { printf "%s:%d:1: error: %s\n", name, NR, text > "/dev/stderr"; failed = 1; exit 3 }
function node(i) { return "n" i }
NR == 1 {
    if (NF < 2 || $1 !~ /^[0-9]+$/ || $2 !~ /^[0-9]+$/ || $1 < 2) bad("expected: nodes edges box")
    n = $1; m = $2
    print "jammed flow network of " n " nodes and " m " edges from " name
    print "*@ rheo version=1"
    next
}
NF == 0 { next }
NR <= n + 1 {
    if (NF < 2) bad("expected a position: x y")
    printf "*@ pos %s %s %s\n", node(NR - 2), $1, $2
    next
}
{
    if (NF < 2 || $1 !~ /^[0-9]+$/ || $2 !~ /^[0-9]+$/ || $1 >= n || $2 >= n || $1 == $2) bad("expected an edge: two node numbers below " n)
    edges++
    printf "R%d %s %s %.17g\n", edges, node($1), node($2), 1 / g
}
END {
    if (failed) exit 3
    if (edges != m) { printf "%s: error: %d edges announced, %d found\n", name, m, edges > "/dev/stderr"; exit 3 }
    if (sources == "") for (i = 0; i < 5; i++) sources = sources (i ? "," : "") int(i * n / 5)
    k = split(sources, list, ",")
    for (i = 1; i <= k; i++) printf "VP%d %s 0 %d\n", i, node(list[i]), i % 2 == 0 ? 0 : 1
    print "*@ learn R* min=1u max=1meg"
    print ".end"
}' "$1"
