/* experiment_case.h: experiments in memory, with netlists and tables that need no file. */
#ifndef EXPERIMENT_CASE_H
#define EXPERIMENT_CASE_H

#include "run/experiment.h"

#include <stdlib.h>

typedef struct case_file {
    const char *name, *text;
} case_file;

static const case_file CASE_FILES[] = {
    { "grid.cir", "grid with sources of all kinds\n"
                  "*@ rheo version=1\n"
                  "Vin1 in1 0 1\n"
                  "Vin2 0 in2 1\n"
                  "Vd p q 0.5\n"
                  "I1 0 c 1m\n"
                  "Va1 twice 0 1\n"
                  "Va2 twice 0 1\n"
                  "Vs s-t 0 1\n"
                  "Vo chain in1 0\n"
                  "R1 in1 o1 10k\n"
                  "R2 in2 o2 10k\n"
                  "R3 o1 o2 10k\n"
                  "R4 o2 o3 10k\n"
                  "R5 o3 0 10k\n"
                  "R6 p o1 10k\n"
                  "R7 q o2 10k\n"
                  "R8 c o3 10k\n"
                  "R9 twice o1 10k\n"
                  "R10 s-t o1 10k\n"
                  "R11 a 0 1k\n"
                  "R12 b 0 1k\n"
                  "R13 a-b 0 1k\n"
                  "R14 b-c 0 1k\n"
                  "R15 chain 0 1k\n"
                  "R16 in1 Vin2 1k\n"
                  "Vn Vd 0 1\n"
                  "R17 Vd o1 1k\n"
                  "*@ learn R1 R2 R3 R4 R5 min=1e-12 max=1e12\n"
                  ".end\n" },
    { "gates.cir", "two transistors that learn\n*@ rheo version=1\nVin in 0 1\n.model nm nmos(vto=0.7 kp=1m)\n"
                   "M1 in g1 o 0 nm\nM2 o g2 0 0 nm\nVg1 g1 0 3\nVg2 g2 0 2\nR1 o 0 1meg\n"
                   "*@ learn M1 M2 min=0.75 max=5\n.end\n" },
    { "gates+r.cir", "and two resistors that do\n*@ rheo version=1\nVin in 0 1\n.model nm nmos(vto=0.7 kp=1m)\n"
                     "M1 in g1 o 0 nm\nM2 o g2 0 0 nm\nVg1 g1 0 3\nVg2 g2 0 2\nR1 o 0 10k\nR2 in o 10k\n"
                     "*@ learn M1 M2 min=0.75 max=5\n*@ learn R* min=1u max=1m\n.end\n" },
    { "plain.cir", "nothing to learn\nVin1 in1 0 1\nR1 in1 o1 1k\nR2 o1 0 1k\n.end\n" },
    { "broken.cir", "a broken netlist\nR1 in1 o1 4k7\n.end\n" },
    { "flowers.csv", "length,width,species\n5.1,3.5,setosa\n7.0,3.2,versicolor\n6.3,3.3,virginica\n"
                     "4.9,3.0,setosa\n6.4,3.2,versicolor\n5.8,2.7,virginica\n" },
    { "lines.csv", "x1,x2,y1,y2\n0,1,0.5,2\n1,0,0.25,4\n0.5,0.5,0.75,3\n1,1,1,6\n" },
    { "gap.csv", "length,width,species\n5.1,3.5,setosa\n7.0,,versicolor\n" },
    { "comma.csv", "length;width;species\n5,1;3,5;setosa\n7,0;3,2;versicolor\n" },
    { "ragged.csv", "length,width,species\n5.1,3.5,setosa\n7.0,3.2\n" },
    { "quote.csv", "length,width,species\n5.1,3.5,\"setosa\n7.0,3.2,versicolor\n" },
    { "bare.csv", "5.1,3.5\n7.0,3.2\n" },
};

static const char *case_text(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (int k = 0; k < RH_COUNT(CASE_FILES); k++)
        if (strcmp(CASE_FILES[k].name, name) == 0) return CASE_FILES[k].text;
    return NULL;
}

static rheo_status case_circuit(void *user, const char *path, const rheo_netlist_def *def, rheo_circuit **out,
                                const rheo_log *log, rheo_error *err) {
    const char *text = case_text(path);
    (void)user, (void)def;
    if (!text) return rh_fail(err, RHEO_E_IO, 401, RH_NOWHERE, "cannot open '%s': No such file or directory", path);
    return rheo_netlist_parse(out, text, strlen(text), path, NULL, log, err);
}

static rheo_status case_table(void *user, const char *path, bool header, rh_csv *out, rheo_error *err) {
    const char *text = case_text(path);
    (void)user;
    if (!text) return rh_fail(err, RHEO_E_IO, 401, RH_NOWHERE, "cannot open '%s': No such file or directory", path);
    rh_source *src = rh_calloc(1, sizeof(*src));
    char *name = rh_strdup(path), *copy = rh_strdup(text);
    rheo_status st = RHEO_E_NOMEM;
    if (src && name && copy) {
        *src = (rh_source){ .name = name, .text = copy, .size = strlen(copy), .quotable = true };
        st = rh_csv_parse(out, copy, src->size, src, header, err);
    }
    if (st == RHEO_OK) {
        out->own = src;
        return RHEO_OK;
    }
    rh_free(src);
    rh_free(name);
    rh_free(copy);
    return st == RHEO_E_NOMEM ? RH_NOMEM(err) : st;
}

static rheo_status case_images(void *user, const rh_csv_task_def *def, rh_task *out, rheo_error *err) {
    (void)user, (void)out;
    return rh_fail(err, RHEO_E_IO, 401, RH_NOWHERE, "cannot open '%s': No such file or directory", def->file);
}

/* As rheo_experiment_read, but from memory. */
static rheo_status case_read(rheo_experiment **out, const char *yaml, size_t n, const char *const *set, int n_set,
                             const rheo_log *log, rheo_error *err) {
    static const rh_experiment_io IO = { case_circuit, case_table, case_images, NULL };
    rheo_experiment *x = rh_calloc(1, sizeof(*x));
    rh_report r = { .log = log, .err = err };
    if (!x) return RH_NOMEM(err);
    x->path = rh_strdup("exp.yaml");
    x->folder = rh_strdup(".");
    rheo_status st = x->path && x->folder ? rh_document_parse(&x->doc, yaml, n, "exp.yaml", &r) : RH_NOMEM(err);
    for (int i = 0; i < n_set && st == RHEO_OK; i++) st = rh_document_set(&x->doc, set[i], &r);
    if (st == RHEO_OK) st = rh_experiment_build(x, &IO, log, err);
    if (st == RHEO_OK)
        *out = x;
    else
        rheo_experiment_destroy(x);
    return st;
}

#endif
