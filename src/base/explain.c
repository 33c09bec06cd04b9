/* explain.c: the catalogue of messages. One row per code, in rising order; E0xx syntax, E1xx meaning, E2xx topology,
 * E3xx numerics, E4xx input and output, E5xx limits, E6xx security and portability. */
#include "base/base.h"

typedef struct entry {
    int code;
    const char *title, *text;
} entry;

/* clang-format off */
static const entry CATALOGUE[] = {
    { 201, "no ground",
      "Potentials are measured from ground, and nothing in this circuit is connected to it. Call the node that all "
      "voltages refer to 0 or gnd. Names such as 00 or gnd! are ordinary nodes." },
    { 203, "no DC path to ground",
      "No direct current can flow between these nodes and ground: they are joined to the rest by capacitors, current "
      "sources or nothing at all, so their potential can be anything. Join them to ground, if need be by a large "
      "resistor, or take them out." },
    { 205, "voltage loop",
      "Voltage sources (or inductors, which are wires for direct current) form a closed loop. If the voltages around "
      "it do not add up to zero there is no solution; if they do, the current around the loop can be anything. Take "
      "one source out or put a resistor in series." },
    { 206, "current cut set",
      "A part of the circuit is joined to the rest by current sources (or capacitors, which carry no direct current) "
      "alone. If their currents do not add up to zero the rest has nowhere to go; if they do, the potential of that "
      "part can be anything. Put a resistor across one of them." },
    { 301, "singular matrix",
      "The circuit equations have no unique solution, although no single node or loop could be blamed beforehand. "
      "Typical reasons are a negative resistance that cancels a positive one, a controlled source that feeds itself "
      "with a gain of one, or values so far apart that digits are lost." },
    { 302, "not finite",
      "A potential, current or conductance became infinite or undefined. Typical reasons are a resistance of zero, a "
      "source that is not a number, or an iteration that ran away; a smaller step or rate often helps." },
    { 303, "ill-conditioned",
      "The circuit has a solution, but small changes of its values change it a lot: fewer digits than asked for can "
      "be trusted. Usually conductances span too many decades. Narrow their range." },
    { 304, "residual too large",
      "The solution that was found leaves more current over at some node than the tolerance allows, so Kirchhoff's "
      "current law does not hold well enough. Loosen the tolerance, or narrow the range of the conductances." },
    { 401, "cannot open or read",
      "The file could not be opened or read. The message ends with the reason the operating system gave." },
    { 402, "cannot write",
      "The file could not be written. It was written under another name first, so the old file, if there was one, is "
      "untouched. The message ends with the reason the operating system gave." },
    { 403, "not a regular file",
      "Input must be a regular file. A folder, a pipe or a device is refused, since reading it may never end. "
      "To read from a pipe give - as the name." },
    { 404, "file too large",
      "The file is larger than this kind of input may be. The limit protects against running out of memory on a "
      "file given by mistake." },
    { 501, "out of memory",
      "The system gave no more memory. Nothing was changed. Make the circuit or the batch smaller, or free memory." },
    { 502, "limit exceeded",
      "A size in the input is above what is supported, or too many errors were found to go on." },
};
/* clang-format on */

const char *rheo_explain(int code, const char **title) {
    for (int k = 0; k < RH_COUNT(CATALOGUE); k++) {
        if (CATALOGUE[k].code != code) continue;
        if (title) *title = CATALOGUE[k].title;
        return CATALOGUE[k].text;
    }
    return NULL;
}

int rheo_explain_code(int i) { return i >= 0 && i < RH_COUNT(CATALOGUE) ? CATALOGUE[i].code : 0; }
