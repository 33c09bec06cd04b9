#!/bin/sh
# make demo: train the allostery example, then show what was learned.  tools/demo.sh PATH/TO/rheo
rheo=$1
dir=runs/demo-allostery
echo
echo "== A 10x10 grid of 10 kohm resistors learns, by temporal contrastive learning, to hold three nodes at chosen voltages."
echo "== $rheo train examples/allostery.yaml -o $dir --force"
"$rheo" train examples/allostery.yaml -o "$dir" --force || exit $?
echo
echo "== How the loss fell (half the squared error of the three outputs, V^2; every tenfold is five marks):"
awk -F'[:,]' '
    { for (i = 1; i < NF; i++) { if ($i ~ /"epoch"/) e = $(i + 1); if ($i ~ /"loss_train"/) l = $(i + 1) } epoch[NR] = e; loss[NR] = l }
    END {
        step = NR > 14 ? int(NR / 14) : 1
        for (k = 1; k <= NR; k += step) {
            bar = ""
            for (m = -7 * 5; m < 5 * log(loss[k]) / log(10); m++) bar = bar "#"
            printf "   cycle %5d   %9.2e  %s\n", epoch[k], loss[k], bar
        }
    }' "$dir/metrics.jsonl"
echo
echo "== The trained netlist runs in any SPICE. Its three outputs, as rheo solves it:"
"$rheo" solve "$dir/trained.cir" | awk '
    BEGIN { want["n2_7"] = 300; want["n7_2"] = 700; want["n8_8"] = 450 }
    $1 in want { print "   " $0 "   (wanted: " want[$1] " mV)" }'
echo
echo "== Netlist: $dir/trained.cir    For NumPy: $dir/result.npz    Settings: $dir/config.yaml"
