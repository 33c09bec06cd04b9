/* explain.c: the catalogue of messages. One row per code, in rising order; E0xx syntax, E1xx meaning, E2xx topology,
 * E3xx numerics, E4xx input and output, E5xx limits, E6xx security and portability. */
#include "base/base.h"

typedef struct entry {
    int code;
    const char *title, *text;
} entry;

/* clang-format off */
static const entry CATALOGUE[] = {
    { 1, "empty file",
      "The file has no bytes. A netlist starts with one line of title; the cards follow." },
    { 2, "invisible or control character",
      "A name or card contains a character that cannot be seen: a control character, a NUL byte, a no-break space "
      "or a mark that turns the direction of writing. Such characters come along when text is copied from web "
      "pages. Two names that differ in them look the same, so they are refused. Type the name again." },
    { 3, "not UTF-8",
      "Names may contain any letters, but the file must be encoded in UTF-8. Save it as UTF-8 in the editor." },
    { 4, "nothing to continue",
      "A line that starts with + continues the card above it, and one that starts with *@+ the pragma above it. "
      "Here there is none, for example because a card such as .control or the title stands above." },
    { 5, "# is no comment",
      "Simulators disagree about lines with #. A comment is a line that starts with *, or what follows a "
      "semicolon." },
    { 6, "$ comment",
      "A $ after a blank starts a comment in ngspice, but not in LTspice and not in Xyce, which will read on. "
      "Write a semicolon." },
    { 7, "// comment",
      "Two slashes start a comment in ngspice; other simulators read on. Write a semicolon." },
    { 8, "something is missing",
      "The card ends before it is complete. The hint shows how it is written. A node that was left out shows up "
      "this way too, because the value is then taken for a node." },
    { 9, "unexpected text",
      "The card is complete before this word. Nothing is ignored silently: other programs may give the word a "
      "meaning. Comments start with a semicolon." },
    { 10, "not a name",
      "Names of nodes and elements may contain letters, digits and most marks, but no = { } quotes, blanks, "
      "commas or semicolons, no back-quote or backslash, and no //; parentheses must be balanced. Names of "
      "elements contain no * or ?, which are wildcards of *@ learn." },
    { 11, "not a number",
      "A number is written like 4.7, 1e-3, 10k or 2.2uF. Expressions and parameters stand in braces: {2*r}." },
    { 12, "letter in the place of the point",
      "4k7 means 4000 to ngspice and Xyce, which stop at the suffix and skip the rest, and 4700 to LTspice. "
      "Because programs disagree it is refused. Write 4.7k." },
    { 13, "comma in a number",
      "SPICE programs take a comma for a separator or skip what follows: 1,5k becomes 5000 in ngspice. Write a "
      "dot." },
    { 14, "unknown suffix",
      "The suffixes are t g meg k m u n p f and mil, in either case, with or without a unit behind (ohm, F, H, V, "
      "A, s, Hz). Other letters are ignored by some programs and mean something to others: x is 1e6 in Xyce, a is "
      "1e-18 in some." },
    { 15, "number out of range",
      "The number is too large or too small for double precision. ngspice would read infinity or zero without a "
      "word." },
    { 16, "not finite",
      "nan and inf are not values of anything that can be built." },
    { 17, "M is milli",
      "In SPICE M and m both mean 1e-3. Some editors, and everyday usage, take M for 1e6. If you mean 1e6 write "
      "meg; if you mean 1e-3 a small m shows it. Said once per netlist." },
    { 18, "F is femto",
      "1F means 1e-15 in SPICE: F is the suffix femto, not the unit farad. Leave the unit out: 1 is one farad. "
      "Said once per netlist." },
    { 19, "mil is a length",
      "mil is a suffix of its own: a thousandth of an inch, 25.4e-6. If you mean milli write m. Said once per "
      "netlist." },
    { 20, "error in an expression",
      "The expression does not follow the rules of arithmetic at this place. Known are + - * / ^ ** comparisons "
      "&& || ! and ?: with the usual precedence, numbers with suffixes, parameters, and functions." },
    { 21, "not closed",
      "A brace, quote or parenthesis that was opened is not closed before the card ends. A card ends with its "
      "line, unless the next one starts with +." },
    { 22, ".subckt and .ends",
      "Each .subckt needs one .ends, and a name behind .ends must be that of the subcircuit being closed. They "
      "may be nested." },
    { 23, "text after .end",
      "Reading stops at .end. What follows is not part of the circuit." },
    { 24, "the title looks like a card",
      "The first line of a netlist is its title, whatever it says; every SPICE does so. This one looks like a "
      "card, which would be lost without notice. Put a line of text above it." },
    { 25, "malformed pragma",
      "Lines that start with *@ are comments to every SPICE and instructions to rheo, for example '*@ learn R1 R2 "
      "min=1u max=10m'. This one is incomplete or contains something unexpected." },
    { 26, "name=value",
      "Here a pair name=value is expected: one name, an equals sign and one value. Blanks around the sign do not "
      "matter." },
    { 51, "not valid YAML",
      "The file cannot be read as YAML. Blocks are told by indentation, with blanks and never tabs; lists in one "
      "line stand in [ ], maps in { }; a text with a colon or a hash needs quotes." },
    { 52, "not a text file",
      "The file holds bytes that are not UTF-8, or a NUL byte. Save it as UTF-8 text." },
    { 53, "key given twice",
      "Two values for one key: YAML readers disagree about which one counts, so neither does. Take one out." },
    { 54, "YAML that experiments do not use",
      "Tags, merge keys, several documents in one file and very deep nesting are refused: an experiment has no "
      "use for them, and they can hide what is meant." },
    { 55, "empty experiment",
      "The file has no content. docs/experiment.md shows the smallest one." },
    { 56, "override without a value",
      "An override is written block.key=value, as in --set learning.rate=0.05." },
    { 61, "not a proper table",
      "The CSV file has a row with another number of cells, an open quote, or a decimal comma. Cells are "
      "separated by comma, semicolon or tab, found out from the first line." },
    { 62, "header of the table",
      "The first line names the columns. A name that is missing, empty or given twice cannot be asked for." },
    { 63, "not an idx file",
      "The idx format, of MNIST and others: two zero bytes, the type (8: unsigned bytes), the number of dimensions, the "
      "dimensions as big-endian 32-bit numbers, and the data. It may be gzipped. Images and labels come in files of "
      "their own, with as many labels, of one byte, as images. A file of n images begins with 00 00 08 03, one of labels "
      "with 00 00 08 01." },
    { 64, "table of currents",
      "A table of measured currents has a header line with the columns v and i, in V and A, and at least two rows of "
      "plain numbers. v must rise from row to row and i must not fall: where more than one current belongs to a voltage, "
      "or a current to more than one voltage, a circuit has no single operating point. Lines with # are comments." },
    { 101, "unknown kind of element",
      "The first letter of a card says what kind of element it is. This version knows R C V I E G and X "
      "(subcircuits). A dropped element would change the circuit, so the netlist is refused." },
    { 102, "unknown dot card",
      "A card that starts with a dot and is not known may change the circuit, so it is refused. With the lenient "
      "setting it is a warning. Cards that only ask for analyses or output (.tran .print .meas ...) are noted and "
      "skipped." },
    { 103, "defined twice",
      "Two elements or instances have the same name. Upper and lower case are the same." },
    { 104, "unknown parameter of an element",
      "The element has no parameter of that name, or only its neutral value is supported (m=1). What ought to "
      "learn is marked on a line of its own: *@ learn R1." },
    { 105, "not used",
      "This part of the netlist is valid, but has no effect here: analyses, output requests, temperature "
      "coefficients and AC parts of sources." },
    { 106, "resistance of zero",
      "A resistor of 0 ohm is a short; the equations have no place for it. ngspice silently uses 1 mohm. Join the "
      "two nodes, or allow shorts, which does as ngspice with a warning." },
    { 107, "undefined parameter",
      "No .param and no .subckt defines this name here. Parameters may be defined after they are used. A "
      "subcircuit sees its own parameters and those of the main circuit, not those of the subcircuit that uses "
      "it." },
    { 108, "circular parameters",
      "Each of these parameters is computed from the next, and the last from the first, so none has a value." },
    { 109, "defined twice",
      "A parameter, function, model or subcircuit has two definitions in the same place. Some programs take the "
      "first, others the last." },
    { 110, "function",
      "The function does not exist, or takes another number of arguments. Known: sin cos tan asin acos atan atan2 "
      "sinh cosh tanh asinh acosh atanh exp ln log log10 sqrt abs sgn min max pow pwr hypot int nint floor ceil "
      "limit u uramp if, and what .func defines. log is the natural logarithm, as in SPICE." },
    { 111, "recursive function",
      "A .func may use others, but not itself, directly or through others: it would never end." },
    { 112, "expression without value",
      "The result of this operation is not a finite real number: a division by zero, the root or logarithm of a "
      "negative number, a negative base with a fractional exponent, or an overflow. Powers have their true sign: "
      "(-2)^3 is -8 (ngspice gives +8)." },
    { 113, "unknown subcircuit",
      "No .subckt of that name is visible here. It may stand anywhere in the file or in an included one, but one "
      "defined inside another .subckt is only known there." },
    { 114, "nodes of a subcircuit",
      "The instance has more or fewer nodes than the .subckt card, or a node of the .subckt card is repeated or "
      "is ground." },
    { 115, "unknown parameter of a subcircuit",
      "Only parameters on the .subckt card can be given on an instance. ngspice accepts any name silently, which "
      "hides typing errors." },
    { 116, "recursive subcircuit",
      "The subcircuit contains an instance of itself, directly or through others, so the circuit would be "
      "infinite." },
    { 117, "looks like ground",
      "Ground is 0 or gnd. 00 and gnd! are ordinary nodes here and in ngspice; there they float without a "
      "message." },
    { 118, "nothing to learn",
      "*@ learn names an element that does not exist, or a pattern that matches none. Elements inside subcircuits "
      "are called R.X1.R2: letter, path, name." },
    { 119, "cannot learn",
      "The named element is of a kind without a conductance that could be adapted, such as a source. Patterns "
      "skip such kinds, but must match something that can learn." },
    { 120, "bounds",
      "min, max and init of *@ learn are conductances in siemens: above 0, min not above max, init between them. "
      "Several lines may speak about one element; later ones count." },
    { 121, "a subcircuit as a whole",
      "Learning is a property of single elements. Name those inside, as in *@ learn R.X1.R1, or put a *@ learn "
      "line into the .subckt, which then counts for every instance." },
    { 122, "learnable resistance",
      "A learnable resistor must have a resistance above 0, of which the reciprocal is a finite number. Negative "
      "resistances are allowed on resistors that do not learn." },
    { 123, "unknown pragma",
      "The word behind *@ is not known. Known: rheo, learn, pos, part (task, protocol and seed belong into the "
      "experiment file). Of learn: min max init." },
    { 124, "pragmas not used",
      "Lines with *@ count only if the netlist also contains '*@ rheo version=1', so that foreign comments are "
      "not taken for instructions." },
    { 125, "unknown version",
      "The *@ lines are written for a version that this program does not know." },
    { 126, "position of an unknown node",
      "*@ pos names a node to which no element is connected." },
    { 127, "initial conditions",
      "Initial conditions are written .ic v(node)=value, for nodes that exist and are not ground." },
    { 128, "source",
      "A source has a DC value and may have an AC part and one of PULSE SIN EXP PWL. Anything else is not known "
      "to this version." },
    { 129, "model",
      "The type of a .model card is not known, or the card contains an expression. Models are kept and printed, "
      "but the elements of this version do not use them." },
    { 130, "libraries with sections",
      "Libraries with sections are not supported. Copy the section into a file of its own and .include it." },
    { 131, "negative capacitance",
      "The capacitance is negative. That has no effect on operating points, but cannot be built and makes "
      "transients unstable." },
    { 132, "nonlinear controlled source",
      "E and G take two nodes, two controlling nodes and one number, or two nodes and value={...}. POLY, TABLE and "
      "LAPLACE are not supported; F and H are linear." },
    { 133, "start outside the bounds",
      "The conductance on the card, or the voltage of the gate, is outside min and max of *@ learn, so the edge starts "
      "at the nearer bound. Set init=, or change the card or the bounds. Said once per line, with the number of those "
      "it holds for. min= and max= are siemens for resistors, 10k to 1meg ohm being min=1u max=100u, and volts for transistors." },
    { 134, "cannot be written",
      "A name or value of this circuit cannot be expressed in a netlist that reads back the same." },
    { 135, "unknown model",
      "The element names a .model that stands neither in its subcircuit, nor around it, nor in the main circuit." },
    { 136, "model of another kind",
      "The model is there, but its type is for other elements: D elements take d, M elements nmos or pmos, Q elements "
      "npn or pnp." },
    { 137, "unknown model parameter",
      "The .model card has a parameter that this type does not have. Other programs ignore such a word, some without "
      "saying so. If it is a slip of the pen, the parameter that was meant has its default. `rheo kinds elements` "
      "lists the parameters." },
    { 138, "parameter out of range",
      "A parameter of a model or an element is outside what makes sense for it." },
    { 139, "level of a transistor model",
      "rheo computes MOSFETs of level 1, the square law with body effect and channel-length modulation. Higher "
      "levels have other equations and dozens of parameters more." },
    { 140, "effect that is not computed",
      "The parameters describe effects on direct current, such as breakdown, that rheo does not compute. Other "
      "programs will find somewhat different currents. A measured table has them: *@ model NAME table file=FILE.csv. "
      "In time, charges of junctions and gates are not computed either: a C beside the element stands for them." },
    { 141, "gate without a source of its own",
      "A transistor learns by the voltage of its gate, which is the value of a voltage source: between the gate and "
      "ground, or between the gate and a node that voltage sources tie to ground. Each learnable transistor needs "
      "its own, or the two states would be one." },
    { 142, "bounds are missing",
      "Write min= and max= on the line *@ learn. A gate voltage has no natural bounds: without them it is an error; they "
      "are the range of what charges the gate when the circuit is built. A conductance learns between 1e-12 and 1e12 S "
      "then, which no part has: a note says so once. A memristor has the bounds of its states." },
    { 143, "variant of a model",
      "A line *@ model NAME variant chooses another form of the equations for the .model card of that name, with "
      "settings of its own: smooth for NMOS and PMOS, ideal, antiparallel and table for D. Other programs skip the line and "
      "take the card as it is." },
    { 144, "nothing to sense",
      "F and H are controlled by the current of a voltage source, named between the nodes and the number: F1 a b Vx 2. "
      "Inside a subcircuit the source must stand in the same subcircuit. A source of 0 V senses without changing "
      "anything." },
    { 145, "expression of a source",
      "B, and E and G with value=, take + - * /, min max abs exp ln sqrt tanh, V(a), V(a,b) and I(Vx), numbers and "
      "parameters. Powers and comparisons are refused, because programs read them differently. Expressions of some "
      "hundred operations, or of more than 16 currents, must be split into several sources." },
    { 151, "unknown key",
      "The experiment has a key that rheo does not know here, often a slip of the pen. Unknown keys are errors, "
      "since a setting that is silently ignored changes results. docs/experiment.md lists all of them." },
    { 152, "key is missing",
      "This key has no default: the experiment cannot be run without it." },
    { 153, "wrong shape",
      "A list, a map or a single value stands where another of them belongs." },
    { 154, "not such a number",
      "The value has another unit than the setting, stands in quotes, or is not a whole number where one is "
      "needed." },
    { 155, "value out of range",
      "The setting has a smallest and a largest value, which the message names." },
    { 156, "not one of the choices",
      "The setting is one of a few words, which the message names." },
    { 161, "no such node or source",
      "An input is a node held by one grounded voltage source, a difference a-b with one source between, or the "
      "name of a V or I element. An output is a node or a difference a-b." },
    { 162, "input is not driven",
      "The task sets the value of a source. A node without one cannot be an input: add a voltage source to the "
      "netlist, as the hint shows." },
    { 163, "ambiguous name",
      "The name can be read in two ways, such as a node a-b and the difference of a and b. Rename the node or "
      "name the source." },
    { 164, "output is held by a source",
      "The potential of this output is fixed by voltage sources, so nothing can be learned there." },
    { 165, "named twice",
      "Two inputs set the same source, or an output is listed twice." },
    { 166, "nothing to learn",
      "The netlist has no learnable element. Mark some with a line such as *@ learn R* min=1u max=10m, below *@ "
      "rheo version=1." },
    { 167, "a rate for no edge",
      "learning.rates gives rates by the names of learnable elements, with * and ?: R1_*. This name fits none of "
      "them, so it is probably misspelt; an element that does not learn has no rate."},
    { 168, "charging of gates",
      "learning.charging says how gates are charged: a pulse through a resistance into a capacitance changes a gate by "
      "pulse/(R C V0) (V_free^2 - V_clamped^2), so it is the rate of all transistors that learn. A rate beside it must be the "
      "same, and optimizers whose steps have a size of their own do not go with it." },
    { 171, "samples do not fit",
      "A row has another number of values than there are inputs or outputs, or there are too many or no rows." },
    { 172, "classes",
      "A label is not among the classes, or there are not as many classes as outputs: class number i wins on "
      "output number i." },
    { 173, "cell is not a number",
      "The cell of this row and column must hold a number, with a dot and without suffix." },
    { 174, "settings that do not go together",
      "Rule, nudge and loss limit each other: coupled learning holds the outputs by voltage, equilibrium "
      "propagation does not, cross-entropy needs classes." },
    { 175, "samples cannot be split so",
      "train, validation and test are shares below 1 or counts, and together no more than there is; or they are ranges of "
      "rows from 1, which do not overlap. Something must be left to train with." },
    { 181, "coupled learning without voltage",
      "Coupled learning clamps the outputs to v + strength (target - v). With another nudge the two-phase rule is"
      " called contrastive." },
    { 182, "equilibrium propagation by voltage",
      "Equilibrium propagation pulls by a current or a conductance. Holding the outputs by voltage is coupled "
      "learning." },
    { 183, "voltage nudge beyond the target",
      "The strength of a voltage nudge is the share of the way to the target: 0 is free, 1 is fully clamped." },
    { 184, "cross-entropy without classes",
      "Cross-entropy compares outputs as logits with a class. Give the task labels." },
    { 185, "figure on a small grid",
      "The grid has no room for that many outputs besides its two inputs." },
    { 186, "unknown solver",
      "This version does not have a solver of that name; `rheo kinds` lists those that it has." },
    { 187, "settings not initialised",
      "A program that uses the library must start from the default function of the settings it passes." },
    { 189, "the way between samples is too bent",
      "With between: ramp the closed form follows s on the way from one sample to the next by polynomials up to degree 8. "
      "Diodes or transistors bend it more than that: what the memory writes there is less exact than usual. Use "
      "protocol.between: gate, or solver.engine: transient, which follows any way." },
    { 190, "hold: nodes needs the voltage nudge",
      "An output between two nodes can be clamped by one source between them (hold: difference) or by a source at each node, "
      "as machines that were built do (hold: nodes). Currents and conductances always act between the two." },
    { 191, "potentiometer without ends",
      "With learning.state: wiper the resistance of an edge goes from 1/max, the wiper at 0, to 1/min, the wiper at 1. Give "
      "*@ learn both bounds: a potentiometer of 100k with 1.21k in series is min={1/101.21k} max={1/1.21k}." },
    { 193, "learning rate too high",
      "The very first update would move the conductances (or the gates, by their ranges) about as far as they are large: "
      "what is learned is thrown about between the bounds. The rate has the size of a conductance times the strength of "
      "the nudge over a voltage squared, so 0.1 fits circuits of siemens and not of microsiemens. `rheo tune` proposes "
      "a rate from the first samples." },
    { 194, "the loss has risen",
      "The loss is half as large again as at the beginning. Mostly the rate is too high; with `rheo tune` find one to "
      "begin with." },
    { 195, "no edge moves",
      "Nothing can be learned like this: the rate is 0 or far too low for the circuit, the bounds of *@ learn leave no "
      "room, all edges stand at a bound and are pushed beyond it, or their steps are below half a tap. `rheo tune` "
      "proposes a rate from the first samples; bounds are conductances in siemens, volts for gates." },
    { 196, "times that do not go together",
      "A sawtooth pulls the outputs in the time fast and lets them go in the time slow. The memory has to notice the one and sleep "
      "through the other, so slow must be longer than fast, by decades where amplitudes differ by decades, and what the memory "
      "keeps must be gone when slow is over: its time constant tau is best a twentieth of fast. `rheo tune` proposes them." },
    { 197, "the loss has not fallen",
      "At the end the loss is more than 0.95 of what it was at the beginning. A rate that is too low moves nothing in the epochs "
      "there are, one that is too high throws conductances about: `rheo tune` proposes one. A network of resistors makes averages: no "
      "output gets above the highest or below the lowest of its sources and ground, so a target beyond them is never reached; "
      "scale the targets, raise the inputs, or add sources or amplifiers (E)." },
    { 201, "no ground",
      "A potential is a voltage between a node and a common one, ground, whose name is 0 (or gnd). No element of this "
      "circuit is connected to it, so nothing says where zero volt is. Choose a node, mostly the one at the minus of the "
      "supply, and write 0 in its place on every card: V1 in out 5 becomes V1 in 0 5, and R1 in out 1k becomes R1 in 0 1k. "
      "Names such as 00, gnd! or vss are ordinary nodes; `rheo check` warns of them (E117)." },
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
      "be trusted. Usually conductances span too many decades. Narrow their range. Or an expression is so steep, as "
      "ln(v) and 1/v are beside 0, that no potential has the digits for its current." },
    { 304, "residual too large",
      "The solution that was found leaves more current over at some node than the tolerance allows, so Kirchhoff's "
      "current law does not hold well enough. Loosen the tolerance, or narrow the range of the conductances." },
    { 305, "conductance that cannot be solved with",
      "A learnable conductance is zero, negative, or not a finite number. Bounds with min= above zero keep "
      "training from getting there." },
    { 306, "source that is not finite",
      "The value of this source is not a finite number, often because a sample is not." },
    { 307, "not for this solver",
      "cholmod takes networks of positive resistors, current sources and grounded voltage sources. Write backend: auto, "
      "or klu, which takes any circuit." },
    { 309, "ngspice does not meet the nudge",
      "ngspice knows the network and currents into its outputs; those that the nudge would cause are found around it. "
      "Here no current does: the network has several states, or hardly reacts. Train with backend klu." },
    { 310, "nudge without an answer",
      "The nudged circuit has no unique solution: two outputs that are the same node, or outputs that sources tie"
      " together, cannot be held at two values." },
    { 311, "nudge too strong for the closed form",
      "A conductance nudge bends s(h). The closed form follows it with polynomials up to a fixed degree, which do"
      " not suffice for a nudge that nearly short-circuits the outputs to their targets. Lower nudge.strength; "
      "`rheo tune` proposes one." },
    { 312, "update is not finite",
      "A step of training gave a conductance that is not a number. The state before the step is kept. Lower "
      "learning.rate." },
    { 313, "nothing to tune by",
      "Pulling the outputs moves no edge for the first samples: outputs already at their targets, inputs all "
      "zero, or a hinge margin that is met." },
    { 314, "the dead zone does not pass what is to be learned",
      "Only amplitudes between threshold*fast and threshold*slow are written: below, the fast ramp is not noticed, above, both "
      "ramps write and cancel, and what little is left may have the wrong sign. rheo compares what tcl writes for the first samples with "
      "the update of two phases; a cosine below 0.9 is told, with the threshold that puts the upper end above the largest "
      "amplitude. A stronger nudge makes larger amplitudes, a longer slow widens the range; `rheo tune` proposes all of them." },
    { 315, "no operating point found",
      "Newton's method with limited and shortened steps, then with capacitors at all nodes until they come to rest, with "
      "conductances to ground, with sources raised step by step, found no state in which all currents balance. The "
      "message names the node that is furthest from it, or whose potential runs away. Often a current source drives a "
      "node that only a reversed diode or a transistor that is off could drain." },
    { 316, "current without meaning",
      "A junction carries more than a million amperes, usually because it lies in forward direction across a voltage "
      "source. Past 300 emission voltages rheo follows the tangent of the exponential, so the answer is that of the "
      "equations but of no device. Put a resistor in series, or give the diode its RS. Where the potential of a node depends on such "
      "currents, their rounding alone is more than what flows in the rest of the circuit, and there is no answer." },
    { 317, "node that next to nothing holds",
      "Only junctions that block, or a transistor that is off, hold this node. rheo solves the circuit as it is written; "
      "ngspice and others put 1e-12 S beside every junction (.options gmin), which moves such a node by much, so their "
      "answers differ. Give the node a resistor to one that is held." },
    { 320, "ngspice finds no operating point",
      "ngspice refused the circuit or its answer was not complete and finite. The message has its own words; the deck "
      "that it got is kept, to be run by hand. Conductances that span too many decades are the usual reason." },
    { 321, "ngspice crashed or took too long",
      "The process in which ngspice runs ended twice for the same circuit, or did not answer in time and was ended. "
      "ngspice becomes slow above some 20 000 elements. The deck is kept, to be run by hand; rheo's own solvers do not "
      "depend on it." },
    { 322, "engines disagree",
      "Two solvers gave different potentials or currents for the same circuit, by more than the tolerance. An "
      "ill-conditioned circuit, with conductances over many decades, is the usual reason: then none of them is right to "
      "the last digits." },
    { 323, "nothing to compare with",
      "Besides the engine that the others are measured by, none could take this circuit or is part of this build. The "
      "message says why not." },
    { 324, "not of this experiment",
      "trained.cir in a run directory does not hold the learnable elements that its experiment has. It was replaced, or "
      "the netlist was changed after the run." },
    { 325, "ngspice was started again",
      "The process in which ngspice runs ended, did not answer in time, or refused a circuit after it had solved others. "
      "Another one was started and asked again, once; the numbers do not depend on that. Frequent losses mean too little "
      "memory, or a circuit that ngspice cannot take: the deck that it was given is kept, to be run by hand." },
    { 326, "the gradient is not the slope",
      "`rheo gradcheck` moved the states of some edges and looked at the loss: its slope is not what the adjoint says, or, with "
      "--rule-tolerance, what the rule takes for the gradient. A local rule is only near the gradient where the network is not "
      "reciprocal or the nudge is strong. At a bend of the loss (a margin just met) both may be right." },
    { 340, "level not available",
      "Decks are written at the level behavioural (also called ideal), from controlled sources, or at the level device, "
      "from transistors, amplifiers, resistors and capacitors that can be bought." },
    { 341, "no circuit for this setting",
      "An exported deck learns with nobody's help, so everything must happen in the circuit itself: the rule tcl, the "
      "memory leaky-integrator, the nudge conductance, squared errors, a sawtooth or triangle, one sample per update, and "
      "gate or ramp between samples. Other settings need a computer beside the circuit." },
    { 342, "stored voltage too small",
      "A deck stores each conductance as a voltage of 0 to 5 V, where 5 V stands for max= of *@ learn. With a max far above "
      "the start the stored voltage would be too small to be built, or to be simulated. Give a closer max=." },
    { 343, "deck too long",
      "The number of teeth, epochs times samples, or of points of the sources is above what a transient simulation can do. "
      "Say with --teeth how many are wanted." },
    { 344, "no part for this value",
      "At the level device every value must be one that a part can have. A transistor serves as a resistor only while its "
      "overdrive exceeds half its drop; amplifiers reach 10 V; the transconductance amplifiers that pull outputs and charge "
      "the storage have a bias of milliamperes at most; a storage stands between the gate and ground." },
    { 360, "impossible function of time",
      "A delay, time or frequency of PULSE, SIN, EXP or PWL is below 0, the parts of a pulse do not fit into its "
      "period, or programs would read the value differently." },
    { 361, "times do not rise",
      "Each time of a PWL must be later than the one before. A source cannot jump: write a short ramp." },
    { 362, "repetition with a jump",
      "r= of a PWL must be the time of one of its points, and that point must have the value of the last one." },
    { 363, "times of a transient analysis",
      "Step and stop must be above 0, and the start must lie between 0 and the stop. The command needs a stop: "
      "--stop, or a .tran card." },
    { 364, "negative capacitance",
      "A capacitor with negative capacitance has no stable course in time, so no transient analysis is made." },
    { 365, "step too short",
      "The steps became shorter than the clock can tell apart and the error is still too large. The network grows "
      "without bound (negative resistances, controlled sources with feedback), or reltol and abstol are too small." },
    { 370, "no machine in time",
      "solver.engine: transient follows the whole learning machine in time: rule tcl, loss squared, nudge conductance, "
      "sawtooth or triangle, samples separated by gate, ramp or carry, one sample per update. The closed form takes "
      "everything." },
    { 371, "step of the machine too short",
      "An edge changes so fast that no step is short enough: where its conductance falls the voltage across it grows, "
      "its memory takes that for more clamping, and it runs away within one tooth. Lower learning.rate." },
    { 380, "no such edge or tooth",
      "`rheo figure waveforms` shows one element that learns, over two teeth of the run: --edge names it, --tooth the "
      "first tooth, from 1." },
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
    { 405, "damaged checkpoint",
      "A checkpoint does not match its checksums, is cut off, or is of another version of rheo. It is passed over, and "
      "the one before it is used. When none is left, delete the files in checkpoints/ of the run: `rheo resume` then "
      "begins it anew." },
    { 406, "checkpoint of another experiment",
      "The checkpoint was written for other settings, another circuit or other samples than config.yaml and the files "
      "that it names give now. The message names what differs; where the files lie does not matter. Undo the change, or "
      "delete the files in checkpoints/ of the run: `rheo resume` then begins it anew." },
    { 407, "file of another kind",
      "The command does not take this kind of file. Netlists (.cir, .net, .sp, .spice, .ckt) are for check, solve, tran "
      "and compare; experiments (.yaml, .yml) for check, train, tune, gradcheck, export, cosim and compare; a run "
      "directory, which has a config.yaml, for resume and compare, its trained.cir also for check, solve and tran, and "
      "its config.yaml for tune, gradcheck and export. Files with other endings are told apart by their content." },
    { 410, "saved state out of bounds",
      "A conductance in the checkpoint lies outside the bounds of the netlist, so it cannot be of this "
      "experiment." },
    { 420, "ngspice is not available",
      "Operating points by ngspice need the program rheo-ngworker. `make` builds it beside rheo and `make install` puts "
      "it into libexec/rheo, unless NGSPICE=0 was given. It needs libngspice and libseccomp." },
    { 421, "ngspice could not be confined",
      "ngspice runs commands that it finds in netlists, so rheo only runs it in a process that can open no file and start "
      "no program. This process did not start, or the kernel does not offer the means (seccomp filters, resource limits). "
      "It is never run without." },
    { 430, "ngspice did not finish the deck",
      "While ngspice ran the learning machine it stopped, was too slow, or refused the deck. `rheo export` writes nearly "
      "the same deck, and `ngspice -b -n` shows everything it says. A time step too small means that an edge runs away: "
      "lower learning.rate." },
    { 501, "out of memory",
      "The system gave no more memory. Nothing was changed. Make the circuit or the batch smaller, or free memory." },
    { 502, "limit exceeded",
      "A size in the input is above what is supported, or too many errors were found to go on." },
    { 503, "too many elements",
      "The circuit has more elements or instances than the limit, counted before anything is built. Subcircuits "
      "of subcircuits grow quickly. The limit is a setting." },
    { 504, "nested too deeply",
      "Subcircuits may be nested 64 deep, and the names inside them may not grow without limit." },
    { 505, "files",
      "A netlist may consist of 1024 files with 256 MiB together, included at most 32 deep." },
    { 506, "expression too deep",
      "Parentheses may be nested 200 deep, and parameters and functions may call one another 1000 deep. Define "
      "intermediate parameters, first things first." },
    { 507, "expression too long",
      "Evaluating the expressions takes too many steps. Functions that call others several times grow like a "
      "power of their depth." },
    { 508, "too many patterns",
      "Comparing all patterns of *@ learn with all elements would take too long. Use fewer, simpler patterns." },
    { 601, "command in a comment",
      "ngspice executes lines that start with *# as commands of its command language, including shell commands. "
      "rheo takes them for comments. Do not open this file in ngspice unless you trust it." },
    { 602, "control block",
      "ngspice runs the commands between .control and .endc, including shell commands. rheo skips the block. Do "
      "not open this file in ngspice unless you trust it." },
    { 603, "file outside the folder",
      "An .include may read files below the folder of the main netlist only, symbolic links resolved. This keeps "
      "a foreign netlist from reading other files. Other folders are named by --include-dir, or by include_dirs of an "
      "experiment." },
    { 604, "absolute path",
      "An .include must be relative to the file that contains it, so that a netlist works on other machines and "
      "cannot read arbitrary files. Absolute paths are taken below the folders that --include-dir or include_dirs of an "
      "experiment names." },
    { 605, "not a regular file",
      "An .include must name a regular file: no folder, pipe or device." },
    { 606, "files include each other",
      "The files include each other in a circle; the message shows the chain." },
    { 607, "file named in a text from memory",
      "This netlist was read from memory or from a pipe without a folder, so there is nothing an .include could "
      "be relative to. Set the root folder to allow it." },
    { 608, "back-quote",
      "ngspice runs what stands between back-quotes as a shell command where its command language is read. No netlist "
      "needs them. Do not open this file in ngspice unless you trust it." },
    { 609, "loads or runs something",
      "A word of ngspice's command language that runs a program, reads or writes a file or loads compiled code "
      "(codemodel, shell, source, write, ...), a redirection into a file, or *ng_script, which makes a file a script. "
      "rheo never does any of it; where ngspice reads it as a command, it would." },
    { 610, "not to be trusted",
      "`rheo check --untrusted` found places that other programs would execute, or files that they would open. The "
      "messages above name each. rheo itself does none of it." },
    { 611, "start-up file beside the netlist",
      "ngspice executes .spiceinit, spinit or spice.rc of the folder in which it is started, before any netlist. Look into "
      "it before starting ngspice there. rheo starts ngspice in an empty folder." },
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
