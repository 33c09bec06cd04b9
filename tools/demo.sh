#!/bin/sh
# make demo: train the allostery example, then show what was learned.  tools/demo.sh PATH/TO/rheo
rheo=$1
dir=runs/demo-allostery
echo "== A 10x10 grid of resistors learns, by temporal contrastive learning, to hold three nodes at chosen voltages."
echo "== $rheo train examples/allostery.yaml -o $dir --force"
"$rheo" train examples/allostery.yaml -o "$dir" --force || exit $?
echo
echo "== The trained netlist runs in any SPICE; here are its output nodes as rheo solves it:"
"$rheo" solve "$dir/trained.cir" | awk 'NR == 1 || $1 == "n2_7" || $1 == "n7_2" || $1 == "n8_8"'
echo
echo "== Open it: $dir/trained.cir     Results for NumPy: $dir/result.npz     Settings: $dir/config.yaml"
